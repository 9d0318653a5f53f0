"""A small identity provider over real HTTP: discovery, keys, authorization code with PKCE, ID tokens.

It lets everybody in at once, with `claims`. What it should do wrong stands in `faults`.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import KeySet, OctKey, RSAKey

CLIENT, SECRET = "civicbrain", "secret-of-the-client-0123456789"


class OidcProvider:
    """claims: of the person who logs in. faults: names of what is wrong. asked: parameters of each request to
    authorize; spent: of each to the token endpoint."""

    def __init__(self) -> None:
        self.asked: list[dict[str, str]] = []
        self.spent: list[dict[str, str]] = []
        self.be_well()
        self._codes: dict[str, dict[str, str]] = {}
        self.key = self._new_key()
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.get(self)

            def do_POST(self) -> None:
                provider.post(self)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def be_well(self) -> None:
        """Nothing wrong, and the usual person."""
        self.claims: dict[str, Any] = {"sub": "4711", "preferred_username": "Min-Jun", "groups": ["ops"]}
        self.faults: set[str] = set()
        self.changed: dict[str, Any] = {}

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def change_key(self) -> None:
        self.key = self._new_key()

    def get(self, request: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(request.path)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        match parts.path:
            case "/.well-known/openid-configuration":
                self._json(request, {
                    "issuer": self.issuer if "issuer" not in self.faults else "https://other.example",
                    "authorization_endpoint": f"{self.issuer}/authorize",
                    "token_endpoint": f"{self.issuer}/token", "jwks_uri": f"{self.issuer}/keys",
                    "end_session_endpoint": f"{self.issuer}/logout",
                    "authorization_response_iss_parameter_supported": True,
                })  # fmt: skip
            case "/keys":
                self._json(request, KeySet([self.key]).as_dict(private=False))
            case "/authorize":
                self.asked.append(asked)
                code = secrets.token_urlsafe(16)
                self._codes[code] = asked
                back = {"code": code, "state": asked["state"], "iss": self.issuer, "session_state": "x"}
                request.send_response(302)
                request.send_header("location", f"{asked['redirect_uri']}?{urlencode(back | self.changed)}")
                request.end_headers()
            case _:
                self._json(request, {"error": "not_found"}, 404)

    def post(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers["content-length"])).decode()
        given = {name: values[0] for name, values in parse_qs(body).items()}
        self.spent.append(given)
        asked = self._codes.pop(given.get("code", ""), None)
        scheme, _, basic = request.headers.get("authorization", "").partition(" ")
        right = scheme == "Basic" and base64.b64decode(basic).decode() == f"{CLIENT}:{SECRET}"
        digest = hashlib.sha256(given.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if (
            asked is None
            or not right
            or asked.get("code_challenge_method") != "S256"
            or asked.get("code_challenge") != challenge
            or asked["redirect_uri"] != given.get("redirect_uri")
        ):
            return self._json(request, {"error": "invalid_grant"}, 400)
        answer = {"access_token": "opaque", "token_type": "Bearer", "expires_in": 60}
        if "no-id-token" not in self.faults:
            answer["id_token"] = self._token(asked["nonce"])
        return self._json(request, answer)

    def _token(self, nonce: str) -> str:
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "nonce": nonce,
        } | self.claims
        wrong: dict[str, dict[str, Any]] = {
            "nonce": {"nonce": "another"}, "audience": {"aud": "somebody-else"},
            "party": {"aud": [CLIENT, "other"], "azp": "other"}, "expired": {"exp": now - 600},
            "token-issuer": {"iss": "https://other.example"},
        }  # fmt: skip
        for fault in self.faults & wrong.keys():
            claims |= wrong[fault]
        if "unsigned" in self.faults:
            parts = [json.dumps(part).encode() for part in ({"alg": "none"}, claims)]
            return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts) + "."
        if "shared-secret" in self.faults:  # signed with what everybody knows: the public key
            public = OctKey.import_key(self.key.as_pem(private=False))
            return jwt.encode({"alg": "HS256", "kid": self.key.kid}, claims, public)
        key = self._new_key() if "other-key" in self.faults else self.key
        return jwt.encode({"alg": "RS256", "kid": key.kid}, claims, key)

    @staticmethod
    def _new_key() -> RSAKey:
        return RSAKey.generate_key(2048, {"kid": secrets.token_hex(4), "use": "sig"})

    @staticmethod
    def _json(request: BaseHTTPRequestHandler, body: Any, status: int = 200) -> None:
        text = json.dumps(body).encode()
        request.send_response(status)
        request.send_header("content-type", "application/json")
        request.send_header("content-length", str(len(text)))
        request.end_headers()
        request.wfile.write(text)
