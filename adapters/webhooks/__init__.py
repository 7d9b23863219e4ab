"""Standard Webhooks both ways: signing, sealing, the address guard, and one bounded attempt."""
