"""`Guard`: rules, arbitration, record, actuator, in this order.

Nothing reaches the actuator before it stands in the ledger; what cannot be recorded is refused
(docs/decisions/guard-refuses-what-it-cannot-record.md).
"""

from __future__ import annotations

import logging
import math
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass

from civicbrain.city.model import City
from civicbrain.contracts.actuator import Actuator, AnswersLate, Outcome, Verdict
from civicbrain.contracts.brain import Priority, Request, StageRequest
from civicbrain.contracts.missions import Claim
from civicbrain.contracts.overrides import Holder
from civicbrain.core.errors import LedgerError
from civicbrain.guard.claims import RULE as CROSSING
from civicbrain.guard.claims import is_sound, order_key, settle
from civicbrain.guard.entries import entry_of, text_of, what_of
from civicbrain.guard.holds import Hold
from civicbrain.guard.rules import MAX_NAME, MAX_TEXT, Envelope, GuardOptions, check
from civicbrain.guard.words import LastWords, claim_of
from civicbrain.ledger import Ledger

_log = logging.getLogger("civicbrain.guard")
_ACTUATOR_REMEDY = "the controller keeps what it has until that expires, then takes its local plan"


@dataclass(slots=True)
class _Case:
    """One request on its way through. place: its number among those handed in together."""

    request: Request
    place: int
    verdict: Verdict | None = None
    renewal: bool = False


class Guard:
    """Arbitrates and checks requests for `city`. One thread at a time.

    renewals: accepted requests that only extended what was granted (not in the ledger one by one).
    refused: slug of the rule -> count. ledger_error: why nothing can be recorded, "" while all is well.
    """

    def __init__(
        self, city: City, ledger: Ledger, actuator: Actuator, options: GuardOptions | None = None
    ) -> None:
        self.city = city
        self.ledger = ledger
        self.actuator = actuator
        self.options = options or GuardOptions()
        self.renewals = 0
        self.refused: Counter[str] = Counter()
        self.ledger_error = ""
        self._off: set[str] = set()
        self._junctions = {junction.id: junction for junction in city.junctions}
        self._stages = {j.id: frozenset(stage.id for stage in j.stages) for j in city.junctions}
        self._holds: dict[str, Hold] = {}
        self._changes: dict[str, deque[float]] = {}
        self._words = LastWords(self._junctions)
        self._lost = 0

    # -- requests

    def handle(self, requests: Sequence[Request], now_s: float) -> list[Verdict]:
        """One verdict a request, in order. Never raises for what a request holds."""
        verdicts = [Verdict(Outcome.ACCEPTED, "guard", "renewal", "", now_s)] * len(requests)
        cases: list[_Case] = []
        renewed: list[int] = []  # places of those that only renew: they were checked when they were granted
        for place, request in enumerate(requests):
            if not self.ledger_error and self._only_renews(request, now_s):
                renewed.append(place)
            else:
                cases.append(_Case(request, place))
        if cases:
            renewed = self._judge(requests, cases, renewed, now_s)
        else:
            self._extend(requests, renewed)
            self.renewals += len(renewed)
        for case in cases:
            assert case.verdict is not None
            verdicts[case.place] = case.verdict
        self._act(requests, verdicts, cases, now_s)
        if cases or self._words.refused_by_door:
            self.refused.update(v.rule for v in verdicts if v.outcome is Outcome.REFUSED)
        return verdicts

    def heartbeat(self, now_s: float) -> None:
        """Tell the controllers that the centre is alive, and take in what they answered late. A broken
        connection is theirs to notice."""
        try:
            self.actuator.heartbeat(now_s)
            late = self.actuator.answers() if isinstance(self.actuator, AnswersLate) else []
        except Exception as error:
            _log.debug("heartbeat failed: %s", error)
            return
        if late:
            cases = [_Case(request, place, renewal=True) for place, (request, _) in enumerate(late)]
            verdicts = [verdict for _, verdict in late]
            self.refused.update(v.rule for v in verdicts if v.outcome is Outcome.REFUSED)
            self._note_answers(cases, verdicts)

    def switch_brain(self, name: str, enabled: bool, *, actor: str, reason: str, now_s: float) -> None:
        """Hear a brain, or no longer. Switching off works even when it cannot be recorded.

        Raises LedgerError when switching on cannot be recorded.
        """
        why = text_of(reason, MAX_TEXT)
        body: dict[str, object] = {"brain": text_of(name), "enabled": enabled, "reason": why}
        if enabled:
            self.ledger.append("brain-switch", text_of(actor), body, now_s)
            self._off.discard(name)
            return
        self._off.add(name)
        self._holds = {place: hold for place, hold in self._holds.items() if hold.brain != name}
        try:
            self.ledger.append("brain-switch", text_of(actor), body, now_s)
        except LedgerError as error:
            self._cannot_record(error)

    @property
    def brains_off(self) -> frozenset[str]:
        """Names of the brains that are switched off."""
        return frozenset(self._off)

    def release(self, junction: str, brain: str) -> None:
        """Give up what a brain or operator holds at a junction before it expires."""
        hold = self._holds.get(junction)
        if hold is not None and hold.brain == brain:
            del self._holds[junction]

    def find_holder(self, junction: str, now_s: float) -> Holder | None:
        """Who holds a junction now, for people."""
        hold = self._holds.get(junction)
        return hold.told() if hold is not None and hold.expires_s > now_s else None

    def reset(self) -> None:
        """Forget holds and repetitions, as when time jumps back. Switched-off brains stay off."""
        self._holds.clear()
        self._changes.clear()
        self._words.clear()

    # -- steps

    def _only_renews(self, request: Request, now_s: float) -> bool:
        """True when everything but the times is what this junction was granted to this brain, and the times
        are within bounds. Must imply that no rule objects (a test holds it to that)."""
        if type(request) is not StageRequest or type(request.junction) is not str:
            return False
        hold = self._holds.get(request.junction)
        return (
            hold is not None
            and hold.brain == request.brain
            and hold.what == request.stage
            and hold.priority == request.priority
            and type(request.priority) in (int, Priority)
            and hold.expires_s > now_s
            and type(request.expires_s) is float
            and now_s < request.expires_s <= now_s + self.options.max_lifetime_s
            and type(request.not_before_s) is float
            and -math.inf < request.not_before_s < request.expires_s
            and type(request.reason) is str
            and len(request.reason) <= MAX_TEXT
            and (request.claim is None or is_sound(request.claim, MAX_NAME))
            and hold.brain not in self._off
        )

    def _judge(
        self, requests: Sequence[Request], cases: list[_Case], renewed: list[int], now_s: float
    ) -> list[int]:
        """Give every case its verdict, in the record too; a renewal at a junction of which something else is
        asked becomes a case, and all do when nothing can be recorded. Returns those that did not."""
        envelope = Envelope(now_s, self._junctions, self._stages, self._off, self.options)
        contested: set[str] = set()
        for case in cases:
            objection = check(case.request, envelope)
            if objection is not None:
                self._refuse(case, *objection, now_s)
            else:
                contested.add(case.request.junction)
        if contested:
            cases += [
                _Case(requests[place], place) for place in renewed if requests[place].junction in contested
            ]
            cases.sort(key=lambda case: case.place)
            renewed = [place for place in renewed if requests[place].junction not in contested]
        self._extend(requests, renewed)
        # the highest priority is heard first, whatever the order of the brains
        open_cases = [case for case in cases if case.verdict is None]
        open_cases.sort(key=lambda case: (-case.request.priority, order_key(claim_of(case.request))))
        for case in open_cases:
            self._arbitrate(case, now_s)
        if self._record(cases, now_s):
            self.renewals += len(renewed)
            return renewed
        for place in renewed:
            case = _Case(requests[place], place)
            self._refuse_unrecorded(case, now_s)
            cases.append(case)
        return []

    def _extend(self, requests: Sequence[Request], renewed: Sequence[int]) -> None:
        """Grant renewals at junctions of which nobody asks anything else: as `_arbitrate` would."""
        holds = self._holds
        for place in renewed:
            request = requests[place]
            hold = holds[request.junction]
            hold.expires_s = request.expires_s
            hold.claim = _newest(hold.claim, claim_of(request))

    def _arbitrate(self, case: _Case, now_s: float) -> None:
        request = case.request
        what = what_of(request)
        hold = self._holds.get(request.junction)
        if hold is not None and hold.expires_s <= now_s:
            hold = None
        if hold is not None and hold.brain != request.brain and hold.priority >= request.priority:
            reason = f"held by {hold.brain!r} (priority {hold.priority}) until {hold.expires_s:g} s"
            self._refuse(case, "outranked", reason, now_s)
            return
        same = hold is not None and (hold.brain, hold.what, hold.priority) == (
            request.brain, what, request.priority,
        )  # fmt: skip
        claim, rule, reason = claim_of(request), "accepted", ""
        if not same and claim and _crosses(hold, request.priority, claim):
            assert hold is not None
            assert hold.claim is not None
            takes_over, reason = settle(claim, hold.claim)
            rule = CROSSING
            if not takes_over:
                self._refuse(case, rule, reason, now_s)
                return
        if not same and not self._may_change(request.junction, now_s):
            options = self.options
            reason = f"{options.max_changes} changes in {options.per_s:g} s at this junction"
            self._refuse(case, "rate-limit", reason, now_s)
            return
        case.renewal = same
        case.verdict = Verdict(Outcome.ACCEPTED, "guard", "renewal" if same else rule, reason, now_s)
        if same and hold is not None:
            hold.expires_s = request.expires_s
            hold.claim = _newest(hold.claim, claim)
            return
        self._holds[request.junction] = Hold(
            request.brain, request.priority, what, request.expires_s, claim, now_s
        )
        self._changes[request.junction].append(now_s)

    def _may_change(self, junction: str, now_s: float) -> bool:
        changes = self._changes.setdefault(junction, deque())
        while changes and changes[0] <= now_s - self.options.per_s:
            changes.popleft()
        return len(changes) < self.options.max_changes

    def _refuse(self, case: _Case, rule: str, reason: str, now_s: float, by: str = "guard") -> None:
        case.verdict = Verdict(Outcome.REFUSED, by, rule, reason, now_s)

    def _refuse_unrecorded(self, case: _Case, now_s: float) -> None:
        self._holds.pop(case.request.junction, None)
        self._refuse(case, "unrecorded", f"the ledger cannot be written: {self.ledger_error}", now_s)

    def _record(self, cases: Sequence[_Case], now_s: float) -> bool:
        """Write what is new; if that fails, refuse every case that was accepted and return False."""
        entries = []
        for case in cases:
            if case.verdict and not case.renewal and self._words.is_news(case.request, case.verdict):
                entries.append(entry_of(case.request, case.verdict))
        if self.ledger_error:  # see whether it works again, and say what is missing
            note: dict[str, object] = {"error": self.ledger_error, "entries_lost": self._lost}
            entries.insert(0, ("ledger-recovered", "guard", note, now_s))
        accepted = [case for case in cases if _accepted(case.verdict)]
        if not entries:
            self.renewals += len(accepted)
            return True
        try:
            self.ledger.append_many(entries)
        except LedgerError as error:
            self._lost += len(entries) - bool(self.ledger_error)
            self._cannot_record(error)
            self._words.forget()
            for case in accepted:
                self._refuse_unrecorded(case, now_s)
            return False
        if self.ledger_error:
            _log.warning("the ledger can be written again; %d entries were lost", self._lost)
            self.ledger_error, self._lost = "", 0
        self.renewals += sum(case.renewal for case in accepted)
        return True

    def _cannot_record(self, error: LedgerError) -> None:
        if not self.ledger_error:
            _log.error("no request is granted while nothing can be recorded: %s", error)
        self.ledger_error = error.message

    def _act(
        self, requests: Sequence[Request], verdicts: list[Verdict], cases: Sequence[_Case], now_s: float
    ) -> None:
        """Hand the accepted ones to the actuator; its refusals are recorded, and put into verdicts, too."""
        places = range(len(requests)) if not cases else [p for p, v in enumerate(verdicts) if _accepted(v)]
        if not places:
            return
        try:
            answers = self.actuator.apply([requests[place] for place in places], now_s)
            if len(answers) != len(places):
                raise ValueError(f"{len(answers)} verdicts for {len(places)} requests")
        except Exception as error:  # the door is broken: say so, the loop and the others go on
            reason = f"{type(error).__name__}: {error}; {_ACTUATOR_REMEDY}"[:1000]
            answers = [Verdict(Outcome.REFUSED, "guard", "actuator-failed", reason, now_s)] * len(places)
        if not self._words.refused_by_door and all(map(_accepted, answers)):
            return
        known = {case.place: case for case in cases}
        for place, answer in zip(places, answers, strict=True):
            if not _accepted(answer):
                verdicts[place] = answer
        acted = [known.get(place) or _Case(requests[place], place, renewal=True) for place in places]
        self._note_answers(acted, answers)

    def _free(self, request: Request) -> None:
        """The door refused it: nobody holds the junction for it, unless for something asked since."""
        hold = self._holds.get(request.junction)
        if hold is not None and (hold.brain, hold.what) == (request.brain, what_of(request)):
            del self._holds[request.junction]

    def _note_answers(self, cases: Sequence[_Case], verdicts: Sequence[Verdict]) -> None:
        """Take in what the actuator said where it refuses, or refused before."""
        entries = []
        for case, verdict in zip(cases, verdicts, strict=True):
            if verdict.outcome is Outcome.ACCEPTED:
                if self._words.door_opens(case.request):  # that is news
                    entries.append(entry_of(case.request, verdict))
            else:
                case.verdict = verdict
                self._free(case.request)
                if not case.renewal and self._changes[case.request.junction]:
                    self._changes[case.request.junction].pop()  # nothing changed on the street
                self._words.refused_by_door.add(self._words.key(case.request, True))
                if self._words.is_news(case.request, verdict, by_the_door=True):
                    entries.append(entry_of(case.request, verdict))
        if entries:
            try:
                self.ledger.append_many(entries)
            except LedgerError as error:
                self._lost += len(entries)
                self._cannot_record(error)


def _accepted(verdict: Verdict | None) -> bool:
    return verdict is not None and verdict.outcome is Outcome.ACCEPTED


def _newest(held: Claim | None, asks: Claim | None) -> Claim | None:
    """The claim of a hold after a renewal: its own mission's newest word."""
    return asks if held is None or (asks is not None and asks.mission == held.mission) else held


def _crosses(hold: Hold | None, priority: int, claim: Claim) -> bool:
    """Whether the junction is held with the same rank for another mission."""
    if hold is None or hold.claim is None:
        return False
    return hold.priority == priority and hold.claim.mission != claim.mission
