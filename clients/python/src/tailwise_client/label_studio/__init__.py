"""A bridge to Label Studio: a batch becomes tasks of a project, annotations become labels."""

from __future__ import annotations

from tailwise_client.label_studio.bridge import Pulled, Pushed, create_project, pull, push
from tailwise_client.label_studio.label_config import label_config
from tailwise_client.label_studio.studio import Annotation, LabelStudio, Project, StudioTask

__all__ = [
    "Annotation",
    "LabelStudio",
    "Project",
    "Pulled",
    "Pushed",
    "StudioTask",
    "create_project",
    "label_config",
    "pull",
    "push",
]
