"""What figures count, and by what they are parted. Shared by their table and whoever adds them up or reads them."""

WINDOWS = (7, 14, 30)  # days, side by side
# Of contacts that come back within a window: all, and those told again by what could have been known (`Context`).
BACK = ("back", "unrecorded", "unlinked", "unshown", "shown")
COUNTS = ("contacts", "blind", *(f"{what}_{window}" for window in WINDOWS for what in BACK))
DIMENSIONS = ("channel", "source", "queue", "team", "language")  # that each figure has; '' where it is not known
# What figures are counted by beside that, each with its labels.
CUTS = ("all", "agent", "group", "handover", "asked", "score")
