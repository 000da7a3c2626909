"""What is known of a transfer while it goes on and at its end."""

from __future__ import annotations

from dataclasses import dataclass, field

from probes import ndt7
from probes.loaded import Phase, Way, Window
from probes.steady import Sample
from probes.tcp_info import TcpInfo

_HEADERS = {False: 52, True: 72}  # IPv4, IPv6: with TCP's and its time stamp
_LIMITED = 0.5  # of the sender's busy time
_TOLD_EARLY_BYTES = 20_000  # the room's first message comes before any data


@dataclass(slots=True)
class Seen:
    """Times are ns after `began_ns` (time.monotonic_ns()) unless said otherwise.

    `samples`: bytes as the receiver counts them. `acknowledged`: of an upload, as this computer's TCP knows it, with
    TLS and framing. `losses`: when it was noticed that something was missing (CLOCK_REALTIME); None: the system does
    not tell.
    """

    way: Way
    began_ns: int = 0
    began_unix_ns: int = 0
    loaded_ns: int = 0  # how long data flowed
    samples: list[Sample] = field(default_factory=list)
    acknowledged: list[Sample] = field(default_factory=list)
    losses: list[Window] | None = None
    sender: TcpInfo | None = None  # of the end that sends the data
    congestion_control: str = ""
    all_sent: bool = False  # as many bytes as the budget allows
    moved_bytes: int = 0  # IP packets, both ways
    _missing: tuple[int, int] = (0, 0)  # how many, and when (CLOCK_REALTIME)

    @property
    def live(self) -> list[Sample]:
        """The finest series, for deciding when it is enough."""
        return self.acknowledged or self.samples

    @property
    def counted(self) -> list[Sample]:
        """The series that the result is made of: the receiver's, or acknowledgements where it told too little."""
        return self.samples if len(self.samples) >= 4 or not self.acknowledged else self.acknowledged

    def looked(self, at_ns: int, unix_ns: int, info: TcpInfo | None) -> None:
        """A reading of this computer's TCP. A receiver sees what is missing by what comes after the gap."""
        if info is None:
            return
        if self.way == "down":
            self._missed(info.rcv_ooopack, unix_ns)
            return
        self.sender = info
        if info.bytes_acked is not None and (not self.acknowledged or at_ns > self.acknowledged[-1].at_ns):
            self.acknowledged.append(Sample(at_ns, info.bytes_acked))
        self._missed(info.total_retrans, unix_ns)

    def told(self, told: ndt7.Measurement) -> None:
        """The room's count of an upload; its TCP's account of a download."""
        if self.way == "down":
            self.congestion_control = told.congestion_control or self.congestion_control
            self.sender = told.tcp or self.sender
        elif told.elapsed_us is not None and told.num_bytes is not None:
            before = self.samples[-1] if self.samples else Sample(-1, 0)
            if told.elapsed_us * 1000 > before.at_ns and told.num_bytes >= before.total:
                self.samples.append(Sample(told.elapsed_us * 1000, told.num_bytes))

    def _missed(self, count: int | None, unix_ns: int) -> None:
        if count is None:
            return
        before, since = self._missing
        self.losses = [] if self.losses is None else self.losses
        if count > before:
            self.losses.append(Window(since or self.began_unix_ns, unix_ns))
        self._missing = (count, unix_ns)

    def account(self, info: TcpInfo | None, payload: int, *, v6: bool) -> None:
        """How much the whole connection has moved; without the kernel's help by what its payload must have cost."""
        if info is None or None in (info.bytes_sent, info.bytes_received, info.segs_in, info.segs_out):
            self.moved_bytes = round(payload * 1.07)
            return
        segments = (info.segs_in or 0) + (info.segs_out or 0)
        self.moved_bytes = (info.bytes_sent or 0) + (info.bytes_received or 0) + segments * _HEADERS[v6]

    @property
    def held_back(self) -> bool | None:
        """Did an end's buffer or window, and not the path, set the speed most of the time? None: not known."""
        info = self.sender
        if info is None or info.busy_time_us is None:
            return None
        limited = (info.rwnd_limited_us or 0) + (info.sndbuf_limited_us or 0)
        idle = self.loaded_ns / 1000 - info.busy_time_us if self.way == "up" else 0.0
        return limited + max(0.0, idle) > _LIMITED * max(info.busy_time_us, 1)

    @property
    def retransmitted(self) -> float | None:
        """The share of the bytes sent that were sent again."""
        info = self.sender
        if info is None or info.bytes_retrans is None or not info.bytes_sent or info.bytes_sent < _TOLD_EARLY_BYTES:
            return None
        return min(1.0, info.bytes_retrans / info.bytes_sent)

    def phase(self, steady_ns: int) -> Phase:
        """When it loaded the link; `steady_ns`: after its begin."""
        begin = self.began_unix_ns
        losses = None if self.losses is None else tuple(self.losses)
        return Phase(self.way, begin, begin + self.loaded_ns, begin + steady_ns, losses)
