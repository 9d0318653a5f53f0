"""The tree of errors. Every message names the place and what to do about it.

CivicBrainError                 anything we raise on purpose; the CLI prints it and exits with 2
├── ConfigurationError          a wrong key or value in a configuration file or option
├── CityError                   a city folder or network that cannot be used
│   ├── ImportFailedError       the source (SUMO, OSM, CityFlow) is missing, cut off or broken
│   └── SignalProgramError      a signal program that no street could run
├── NotFoundError               an unknown junction, brain, control, scenario …
├── RequestRefusedError         a request that breaks a rule of the safety envelope
├── TwinError                   SUMO could not start, or died
├── BrainError                  a brain raised, hung or returned what no contract allows
├── StudyError                  a study that could not be run to its end
├── LedgerError                 the record cannot be written, or its chain is broken
├── CasesError                  cases, alarms or notices that cannot be kept or read
├── HistoryError                a question that history cannot answer, or files of it that cannot be read
└── ServiceError                a port in use, a process that does not answer
"""

from __future__ import annotations


class CivicBrainError(Exception):
    """Base of all errors that a person is meant to read.

    message: what is wrong. place: file, line, key or object where it is wrong.
    remedy: what the reader can do now.
    """

    exit_code = 2

    def __init__(self, message: str, *, place: str | None = None, remedy: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.place = place
        self.remedy = remedy

    def __str__(self) -> str:
        text = f"{self.place}: {self.message}" if self.place else self.message
        return f"{text}\n  remedy: {self.remedy}" if self.remedy else text

    def __reduce__(self) -> tuple[object, ...]:
        # keyword-only arguments do not survive the default pickling between processes
        return (_rebuild, (type(self), self.message, self.place, self.remedy))


def _rebuild(
    kind: type[CivicBrainError], message: str, place: str | None, remedy: str | None
) -> CivicBrainError:
    return kind(message, place=place, remedy=remedy)


class ConfigurationError(CivicBrainError):
    """A wrong key or value in a configuration file or option."""


class CityError(CivicBrainError):
    """A city folder or network that cannot be used."""


class ImportFailedError(CityError):
    """The source of an import is missing, cut off or broken."""


class SignalProgramError(CityError):
    """A signal program that no street could run."""


class NotFoundError(CivicBrainError):
    """Something asked for by name does not exist."""


class RequestRefusedError(CivicBrainError):
    """A request that breaks a rule of the safety envelope."""


class TwinError(CivicBrainError):
    """SUMO could not start, or died."""


class BrainError(CivicBrainError):
    """A brain raised, hung, or returned what no contract allows."""


class StudyError(CivicBrainError):
    """A study that could not be run to its end; finished runs are kept."""


class LedgerError(CivicBrainError):
    """The record cannot be written, or its chain is broken."""


class HistoryError(CivicBrainError):
    """A question that history cannot answer, or files of it that cannot be read."""


class CasesError(CivicBrainError):
    """Cases, alarms or notices that cannot be kept or read."""


class ServiceError(CivicBrainError):
    """A port in use, or a process that does not answer."""
