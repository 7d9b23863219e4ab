"""The multi-label study: messages with two labels at once through the service's own verbs."""
