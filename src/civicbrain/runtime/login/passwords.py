"""Passwords: what is taken for one, and their hashes.

Argon2id with the parameters of RFC 9106, section 4, "memory-constrained": 64 MiB, 3 passes, 4 lanes. Length
counts and composition does not (NIST SP 800-63B, 3.1.1): 12 characters at least, none of the usual ones.
"""

from __future__ import annotations

import re
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from civicbrain.core.errors import ConfigurationError

FEWEST, MOST = 12, 200
"""Characters. The most bounds what one attempt costs, not what somebody may think of."""

_FEWEST_DIFFERENT = 5
_USUAL = re.compile(
    r"(pass(word|wort|phrase)|passw0rd|qwert[yz]|letmein|welcome|admin(istrator)?|civic|brain|changeme|secret"
    r"|abc|xyz|asdf|iloveyou|dragon|monkey|\d+|[^a-z0-9])+\Z"
)

_hasher = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$u/fc15oRQoPX0f4Ptwgouw$iDMnJywDDBQqosg8HGVCN/JxaLvIqcFAKTskudj80Xc"
"""Of a password that nobody kept: compared for an unknown name, which then takes as long as a known one."""


def check_password(password: str, name: str) -> None:
    """Raises ConfigurationError, saying what to do, where nobody should have this password."""
    text = _normal(password)
    wrong = ""
    if len(text) < FEWEST:
        wrong = f"has {len(text)} characters, fewer than {FEWEST}"
    elif len(text) > MOST:
        wrong = f"has more than {MOST} characters"
    elif any(unicodedata.category(c) == "Cc" for c in text):
        wrong = "has a control character"
    elif len(set(text)) < _FEWEST_DIFFERENT:
        wrong = f"is made of fewer than {_FEWEST_DIFFERENT} different characters"
    elif len(name) >= 4 and name in text.lower():
        wrong = "contains the name"
    elif _USUAL.match(text.lower()):
        wrong = "is one of those that are tried first"
    if wrong:
        raise ConfigurationError(
            f"the password {wrong}", remedy=f"take {FEWEST} characters or more, e.g. four words of your own"
        )


def hash_password(password: str) -> str:
    """As it is kept. Takes a tenth of a second and 64 MiB: in a thread."""
    return _hasher.hash(_normal(password))


def fits(kept: str | None, given: str) -> bool:
    """Whether a password belongs to a hash; kept: None or "" of a user that there is not, or has none: that
    takes as long. In a thread."""
    try:
        return _hasher.verify(kept or NOBODY, _normal(given)) and bool(kept)
    except (VerificationError, InvalidHashError):
        return False


def is_outdated(kept: str) -> bool:
    """Whether it was hashed with less than today's parameters."""
    return _hasher.check_needs_rehash(kept)


def _normal(password: str) -> str:
    """One form for letters that keyboards compose in several (NFKC)."""
    return unicodedata.normalize("NFKC", password)
