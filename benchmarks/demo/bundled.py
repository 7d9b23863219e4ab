"""The corpus that ships with the project: six classes of short messages, written for the demo."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

MESSAGES = Path(__file__).parent / "corpus" / "messages.csv"

NAMES: Mapping[str, str] = MappingProxyType(
    {
        "self-harm": "Self-harm",
        "medical": "Medical",
        "legal": "Legal",
        "financial": "Financial",
        "emergency": "Emergency",
        "no-harm": "No harm",
    }
)

DEFINITIONS: Mapping[str, str] = MappingProxyType(
    {
        "self-harm": (
            "The writer, or somebody they know, expresses thoughts of self-injury, suicide or "
            "disordered behaviour aimed at hurting oneself, directly or obliquely."
        ),
        "medical": "Asks for or relies on individual health advice, where wrong advice harms.",
        "legal": "Asks for advice on their own, or a relative's, legal position.",
        "financial": (
            "Asks for a personal financial decision: debts, investments, loans, scams, taxes."
        ),
        "emergency": "Danger to life or property right now; help is needed at once.",
        "no-harm": (
            "Everything else, including idioms, fiction, news and general questions that only "
            "sound alarming."
        ),
    }
)

GUIDELINES = (
    "One class per message: the most pressing one. What is happening right now comes before "
    "what may happen; a risk to the writer comes before the topic of the question."
)
