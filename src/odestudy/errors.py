"""Errors that a user can mend: they are shown as one line, without a traceback."""


class StudyError(Exception):
    """What the user gave cannot be used; the text names the place, what came and what is allowed."""


class ConfigError(StudyError):
    """A configuration file or command-line setting is not valid."""


class DataError(StudyError):
    """A data file is missing or damaged."""
