"""A snapshot as bytes, for a brain in another process. Decoded, never executed; arrays arrive read-only."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import msgspec

from civicbrain.city.incidents import Incident, IncidentReport
from civicbrain.city.missions import MissionTrack
from civicbrain.city.observations import Detections, Kind, SignalStates
from civicbrain.city.snapshot import LaneStates, Snapshot
from civicbrain.city.transit.buses import BusTrack
from civicbrain.contracts.wire import Array, pack_array, pack_columns, unpack_array, unpack_columns


class _Packed(msgspec.Struct, frozen=True):
    sequence: int
    time_s: float
    detections: dict[str, Any]
    lanes: dict[str, Any]
    signals: dict[str, Any]
    closed_lanes: Array
    staleness_s: dict[str, float]
    values: list[tuple[str, str, float]]
    missions: tuple[MissionTrack, ...] = ()
    incidents: tuple[Incident, ...] = ()
    reports: tuple[IncidentReport, ...] = ()
    buses: tuple[BusTrack, ...] = ()
    asked: Array | None = None


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Packed)


def pack_snapshot(snapshot: Snapshot) -> bytes:
    """The snapshot as msgpack."""
    return _encoder.encode(
        _Packed(
            snapshot.sequence,
            snapshot.time_s,
            pack_columns(snapshot.detections),
            pack_columns(snapshot.lanes),
            pack_columns(snapshot.signals),
            pack_array(snapshot.closed_lanes),
            dict(snapshot.staleness_s),
            [(entity, name, value) for (entity, name), value in snapshot.values.items()],
            snapshot.missions,
            snapshot.incidents,
            snapshot.reports,
            snapshot.buses,
            pack_array(snapshot.asked),
        )
    )


def unpack_snapshot(data: bytes) -> Snapshot:
    """Inverse of pack_snapshot; raises ValueError, TypeError or KeyError on anything that does not fit."""
    packed = _decoder.decode(data)
    columns = dict(packed.detections)
    columns["kind"] = Kind(columns["kind"])
    return Snapshot(
        sequence=packed.sequence,
        time_s=packed.time_s,
        detections=unpack_columns(Detections, columns),
        lanes=unpack_columns(LaneStates, packed.lanes),
        signals=unpack_columns(SignalStates, packed.signals),
        closed_lanes=unpack_array(packed.closed_lanes),
        staleness_s=MappingProxyType(packed.staleness_s),
        values=MappingProxyType({(entity, name): value for entity, name, value in packed.values}),
        missions=packed.missions,
        incidents=packed.incidents,
        reports=packed.reports,
        buses=packed.buses,
        **({} if packed.asked is None else {"asked": unpack_array(packed.asked)}),
    )
