"""Log-in: who may come in, and as what.

Purpose   local users and those of a city's own identity provider, their sessions, and the record of access
Reads     names, passwords, session ids; the clock
Returns   users, sessions, entries of the record
Keeps     one SQLite file of mode 0600 (`login.sqlite`): users, sessions and a hash chain; a change and its
          entry are one transaction. Of passwords it keeps Argon2id hashes, of session ids SHA-256
Look at   `civicbrain user list`, `civicbrain ledger show login.sqlite`
Start     `roles.py` (who may what), `store.py` (the file), `users.py`, `sessions.py`, `passwords.py`

Both the API and `civicbrain user` write the file; SQLite keeps them apart.
"""

from civicbrain.runtime.login.roles import Role

__all__ = ["Role"]
