"""The room's brain: follows every mission, plans its way, predicts it, opens its corridor just in time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from civicbrain.brains.priority.arrival import Pace, RoadView
from civicbrain.brains.priority.corridor import Corridors
from civicbrain.brains.priority.options import PriorityOptions
from civicbrain.brains.priority.planning import Planner
from civicbrain.brains.priority.pursuit import Pursuit, Stop
from civicbrain.brains.priority.switching import JunctionTable
from civicbrain.brains.priority.transit import Transit
from civicbrain.brains.priority.ways import Way
from civicbrain.city.missions import MissionTrack, TrackState
from civicbrain.city.model import City
from civicbrain.city.snapshot import Snapshot
from civicbrain.city.waits import red_wait_s
from civicbrain.contracts.brain import Advice, Alert, Priority, Request, Severity, StageRequest
from civicbrain.contracts.missions import MissionPlan
from civicbrain.contracts.transit import TransitPlan
from civicbrain.core.sentences import say


class PriorityBrain:
    """See the module. Deterministic."""

    cadence_s = 1.0
    budget_s = 0.5

    def __init__(self, city: City, options: PriorityOptions, name: str = "priority") -> None:
        self.name = name
        self.options = options
        self._city = city
        self._planner: Planner | None = None  # made with the first mission: most cities have none most days
        self._view = RoadView(city)
        self._tables: dict[int, JunctionTable] = {}
        self._corridors = Corridors(name, options)
        self._pursuits: dict[str, Pursuit] = {}
        self._transit = Transit(city, name, options, self._view, self._tables)
        self._last_s = -math.inf

    def advise(self, snapshot: Snapshot) -> Advice:
        """Requests for the corridors, plans of all missions, alerts for those that are lost."""
        if snapshot.time_s < self._last_s:
            self._pursuits.clear()
            self._transit.clear()
        self._last_s = snapshot.time_s
        missions = self._missions(snapshot)
        busy = {request.junction for request in missions.requests if request.priority > Priority.SIGNALS}
        row = self._city.signals.row
        requests, transit = self._transit.step(snapshot, {row[junction] for junction in busy})
        if transit is None:
            return missions
        return replace(
            missions,
            requests=tuple(_one_each([*missions.requests, *requests])),
            explanations={**self._explain_buses(transit), **missions.explanations},
            transit=transit,
        )

    def _missions(self, snapshot: Snapshot) -> Advice:
        """What emergency missions need."""
        if not snapshot.missions and not self._pursuits:
            return Advice()
        requests = self._end(snapshot)
        for track in snapshot.missions:
            requests += self._follow(track, snapshot)
        pursuits = list(self._pursuits.values())
        waits_s = self._corridors.waits_s(pursuits)
        for pursuit in pursuits:
            own = {place: at_s for (name, place), at_s in waits_s.items() if name == pursuit.mission.id}
            pursuit.predict(snapshot, self._view, own)
        requests += self._corridors.step(pursuits, snapshot)
        return Advice(
            tuple(_one_each(requests)),
            tuple(self._alert(p, snapshot.time_s) for p in pursuits if p.state is TrackState.LOST),
            explanations=self._explain(pursuits) if self.options.explain else {},
            missions=tuple(self._plan(pursuit, snapshot.time_s) for pursuit in pursuits),
        )

    def _end(self, snapshot: Snapshot) -> list[StageRequest]:
        """Give back what missions held that are no more."""
        known = {track.mission.id for track in snapshot.missions}
        requests: list[StageRequest] = []
        for name in [name for name in self._pursuits if name not in known]:
            requests += self._corridors.give_back(self._pursuits.pop(name), snapshot, "the mission is over")
        return requests

    def _follow(self, track: MissionTrack, snapshot: Snapshot) -> list[StageRequest]:
        mission, now_s = track.mission, snapshot.time_s
        pursuit = self._pursuits.get(mission.id)
        if pursuit is None:
            pace = self.options.speed_share * mission.speed_factor
            pursuit = self._pursuits[mission.id] = Pursuit(mission, self.options, pace=Pace(pace))
        requests: list[StageRequest] = []
        if pursuit.way is None and not pursuit.note:
            self._set_out(pursuit, snapshot)
        elif pursuit.off_way or now_s - pursuit.planned_s >= self.options.replan_s:
            requests = self._replan(pursuit, track, snapshot)
        pursuit.follow(track, now_s)
        return requests

    def _set_out(self, pursuit: Pursuit, snapshot: Snapshot) -> None:
        planner = self._planner = self._planner or Planner(self._city, self.options)
        mission, row = pursuit.mission, self._city.network.edges.row
        pursuit.planned_s = snapshot.time_s
        way: Way | None = None
        given = tuple(row.get(edge, -1) for edge in mission.route)
        if given and min(given) >= 0 and planner.maker.is_connected(given):
            way = planner.maker.make(given)
        elif mission.from_edge in row and mission.to_edge in row:
            way, _ = planner.plan(snapshot, row[mission.from_edge], row[mission.to_edge], pursuit.pace.share)
        if way is None:
            pursuit.note = say("mission-no-way", "There is no way from its start to its end.")
            return
        self._drive(pursuit, way, mission.created_s)
        waits_s = (red_wait_s(s.table.junction, s.crossing.groups.tolist()) for s in pursuit.stops)
        pursuit.red_s = sum(waits_s)

    def _drive(self, pursuit: Pursuit, way: Way, begun_s: float) -> None:
        stops = [Stop(crossing, self._table(crossing.junction)) for crossing in way.crossings]
        pursuit.take(way, stops, begun_s)

    def _table(self, junction: int) -> JunctionTable:
        table = self._tables.get(junction)
        if table is None:
            table = self._tables[junction] = JunctionTable(self._city, junction)
        return table

    def _replan(self, pursuit: Pursuit, track: MissionTrack, snapshot: Snapshot) -> list[StageRequest]:
        """Another way where the vehicle has left its own, or where another saves enough."""
        planner, way = self._planner, pursuit.way
        pursuit.planned_s = snapshot.time_s
        if planner is None or way is None or track.state is not TrackState.TRACKED:
            return []
        row = self._city.network.edges.row
        target = row[pursuit.mission.to_edge]
        if pursuit.off_way:
            here = planner.nearest_edge(track.x_m, track.y_m, track.heading_deg)
        elif pursuit.mission.route:
            return []  # whoever gave the route keeps to it
        else:
            here = way.edges[min(int((way.end_m <= pursuit.progress_m).sum()), len(way.edges) - 1)]
        pace = pursuit.pace.share
        found, cost_s = planner.plan(snapshot, here, target, pace)
        if found is None:
            return []
        if not pursuit.off_way:
            rest = way.edges[way.edges.index(here) :]
            now_cost_s = planner.cost_s(snapshot, rest, pace)
            saves_s = now_cost_s - cost_s
            if found.edges == rest or saves_s < max(
                self.options.replan_gain_s, self.options.replan_gain * now_cost_s
            ):
                return []
            pursuit.note = say("mission-way-closed", "Its way was closed: it drives another.")
            if math.isfinite(saves_s):
                pursuit.note = say(
                    "mission-way-saves", f"Another way saves {saves_s:.0f} s.", saves_s=saves_s
                )
        else:
            pursuit.note = say("mission-left-way", "The vehicle left its way: it drives another.")
        requests = self._corridors.give_back(pursuit, snapshot, pursuit.note.text)
        self._drive(pursuit, found, snapshot.time_s)
        pursuit.replanned += 1
        pursuit.restart()
        return requests

    def _plan(self, pursuit: Pursuit, now_s: float) -> MissionPlan:
        way, ids = pursuit.way, self._city.network.edges.ids
        eta_s = pursuit.eta_s
        return MissionPlan(
            pursuit.mission.id, self.name, now_s, str(pursuit.state),
            tuple(ids[edge] for edge in way.edges) if way else (),
            way.length_m if way else 0.0, pursuit.progress_m, eta_s,
            None if eta_s is None else pursuit.margin_s(now_s),
            pursuit.eta_without_s, pursuit.replanned,
            tuple(s.show(ids[way.edges[s.crossing.place]]) for s in pursuit.stops) if way else (),
            pursuit.note.text if pursuit.note else "", pursuit.won_s, pursuit.note,
        )  # fmt: skip

    def _alert(self, pursuit: Pursuit, now_s: float) -> Alert:
        mission = pursuit.mission
        title = say(
            "mission-lost", f"Mission {mission.id} is lost", mission=mission.id, vehicle=mission.vehicle
        )
        text = f"no position of {mission.vehicle}; its corridor is given back"
        detail = say("no-position", text, vehicle=mission.vehicle)
        return Alert.of(f"mission-{mission.id}", Severity.WARNING, title, detail, now_s, self.name)

    def _explain_buses(self, transit: TransitPlan) -> dict[str, dict[str, object]]:
        if not self.options.explain:
            return {}
        return {
            bus.ask.junction: {"bus": bus.trip, "line": bus.line, "kind": str(bus.ask.kind),
                               "stage": bus.ask.stage, "behind_s": bus.behind_s, "arrival_s": bus.ask.eta_s,
                               "until_s": bus.ask.until_s, "why": bus.ask.reason}
            for bus in transit.buses
            if bus.ask is not None
        }  # fmt: skip

    def _explain(self, pursuits: list[Pursuit]) -> dict[str, dict[str, object]]:
        return {
            stop.table.junction.id: {
                "mission": pursuit.mission.id,
                "state": str(stop.state),
                "stage": stop.table.junction.stages[stop.stage].id,
                "arrival_s": round(stop.predicted_s, 1),
                "queue_veh": round(stop.queue_veh, 1),
                "switch_s": round(stop.switch_s, 1),
            }
            for pursuit in pursuits
            for stop in pursuit.stops
            if stop.opened_s is not None and stop.released_s is None and stop.stage >= 0
        }


def _one_each(requests: Sequence[Request]) -> list[Request]:
    """A junction is asked for once: for a mission rather than a bus, for either rather than given back."""
    highest: dict[str, int] = {}
    for request in requests:
        highest[request.junction] = max(request.priority, highest.get(request.junction, 0))
    return [request for request in requests if request.priority == highest[request.junction]]
