"""How unlike what is usual at a place it is that somebody stands for so long: a survival test, in nats.

T is how long somebody stands for no reason that is seen. Ordinary ones have a T too. How long is learned for
each place: the share p of those with any, and their scale m, taken as ΣT²/2ΣT (the mean residual life of
renewal theory, Cox 1962: longer than the mean where T is uneven). With the scale itself uncertain, T has a
Lomax distribution, and what speaks against an ordinary one is

    S = −ln P(T > t) = −ln p + K ln(1 + t / (K m))    nats

The shape K is what is known of the scale: least_k for a place of which nothing is, one more for each slow
one, up to `K`.
"""

from __future__ import annotations

import numpy as np

from civicbrain.brains.incidents.layout import I64
from civicbrain.city.network import F64

K = 20.0

LEAST_SCALE_S = 2.0
"""However brisk drivers are at a place: one may be slow once."""

PRIOR, KEEP = 4.0, 0.985
ANY_S = 2.0


class Survival:
    """p places. scale0_s: (p,) scale before anything is learned. least_k: (p,) shape likewise."""

    def __init__(self, scale0_s: F64, least_k: F64) -> None:
        self.scale0_s, self._least_k = scale0_s, least_k
        count = len(scale0_s)
        self._seen: F64 = np.zeros(count)
        self._slow: F64 = np.zeros(count)  # those with a T above `ANY_S`
        self._sum: F64 = np.zeros(count)
        self._squares: F64 = np.zeros(count)

    def nats(self, t_s: F64) -> F64:
        """(p,) S of somebody who has stood for t_s (p,)."""
        k, scale_s, share = self._usual()
        nats = k * np.log1p(t_s / (k * scale_s))
        result: F64 = np.where(t_s > ANY_S, nats - np.log(share), 0.0)
        return result

    def learn(self, places: I64, t_s: F64, most_nats: float) -> None:
        """Somebody has gone at each of these places, after t_s. What was suspected counts as well, for no
        more than it took to be so (most_nats): what happens again and again at a place is usual there, and an
        incident teaches little."""
        if not len(places):
            return
        k, scale_s, share = (each[places] for each in self._usual())
        most_s = k * scale_s * np.expm1(np.maximum(most_nats + np.log(share), 0.0) / k)
        t_s = np.minimum(t_s, most_s)
        self._seen[places] = KEEP * self._seen[places] + 1.0
        self._slow[places] = KEEP * self._slow[places] + (t_s > ANY_S)
        self._sum[places] = KEEP * self._sum[places] + t_s
        self._squares[places] = KEEP * self._squares[places] + t_s**2

    def _usual(self) -> tuple[F64, F64, F64]:
        """(p,) K, m and p."""
        prior = PRIOR * self.scale0_s
        scale_s = (self._squares / 2.0 + prior * self.scale0_s) / (self._sum + prior)
        share = (self._slow + 1.0) / (self._seen + 2.0)
        return np.minimum(self._least_k + self._slow, K), np.maximum(scale_s, LEAST_SCALE_S), share
