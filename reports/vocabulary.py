"""Every measured quantity and every failure code, once. No other place makes names.

A quantity called `rtt_p95_seconds` here is `rtt_p95_seconds` in JSON, policy and store, and
`motesklar_rtt_p95_seconds` in Prometheus.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

INTERVAL_SUFFIXES = ("_ci95_low", "_ci95_high")


@dataclass(frozen=True, slots=True)
class Quantity:
    """`interval`: a mean or a ratio of a sample, published with the two ends of its 95 % confidence interval."""

    name: str
    # seconds | bytes | bytes per second | ratio | count | per minute | MOS | dBFS | dB | dBm | hertz
    # frames per second
    unit: str
    help: str
    standard: str = ""
    interval: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The name, and the names of the interval's ends when there is one."""
        return (self.name, *(self.name + s for s in INTERVAL_SUFFIXES)) if self.interval else (self.name,)


def _percentiles(stem: str, percentiles: str, help_: str, standard: str) -> Iterator[Quantity]:
    for p in percentiles.split():
        yield Quantity(f"{stem}_{p}_seconds", "seconds", f"{help_}, {p}", standard)


def _directions(stem: str, unit: str, help_: str, standard: str, *, interval: bool = False) -> Iterator[Quantity]:
    """`stem` holds `{}` where up or down goes; up is from this computer to the room."""
    for way, words in (("up", "to the room"), ("down", "from the room")):
        yield Quantity(stem.format(way), unit, f"{help_}, {words}", standard, interval)


def _echo() -> Iterator[Quantity]:
    yield from _percentiles("rtt", "min p50 p95 p99 max", "round-trip time less the reflector's own time", "RFC 2681")
    yield Quantity("rtt_mean_seconds", "seconds", "round-trip time, mean", "RFC 2681", interval=True)
    yield from _directions(
        "jitter_{}_seconds", "seconds", "interarrival jitter of the audio stream, worst 15 s", "RFC 3550", interval=True
    )
    for way in ("up", "down"):
        yield from _percentiles(f"ipdv_{way}", "p50 p95 p99", "size of inter-packet delay variation", "RFC 5481")
        yield from _percentiles(f"pdv_{way}", "p50 p95 p99", "packet delay variation above the minimum", "RFC 5481")
    yield from _directions("loss_{}_ratio", "ratio", "packets lost", "RFC 7680", interval=True)
    yield Quantity("loss_ratio", "ratio", "packets that did not come back, either way", "RFC 6673", interval=True)
    yield from _directions(
        "late_{}_ratio", "ratio", "packets later than the playout buffer can wait, of those that came", "RFC 3611"
    )
    yield from _directions("duplicate_{}_ratio", "ratio", "extra copies of packets", "RFC 5560")
    yield from _directions("reordered_{}_ratio", "ratio", "packets overtaken on the way", "RFC 4737", interval=True)
    yield from _directions(
        "burst_loss_{}_ratio", "ratio", "packets lost in the worst 200 ms", "Microsoft Teams", interval=True
    )
    yield from _directions("burst_density_{}_ratio", "ratio", "loss within bursts", "RFC 3611")
    yield from _directions("gap_density_{}_ratio", "ratio", "loss between bursts", "RFC 3611")
    yield from _directions("burst_duration_{}_seconds", "seconds", "mean length of a burst", "RFC 3611")
    yield from _directions("gap_duration_{}_seconds", "seconds", "mean length of a gap", "RFC 3611")
    yield from _directions("mos_{}", "MOS", "conversational quality by the E-model", "ITU-T G.107")
    yield Quantity(
        "mos_difference",
        "MOS",
        "how much better the recommended link was than the next best",
        "ITU-T G.107",
        interval=True,
    )


def _sender() -> Iterator[Quantity]:
    yield from _percentiles("local_queue", "p50 p95 p99", "time a packet waited inside this computer", "")
    yield from _percentiles("send_error", "p50 p99 max", "how far from its planned time a packet left", "")
    yield Quantity("sends_missed_ratio", "ratio", "packets that left over half a pacing interval late, or never", "")
    yield Quantity("packets_sent", "count", "packets sent")
    yield Quantity("packets_reflected", "count", "packets that reached the room")
    yield Quantity("packets_received", "count", "packets that came back")
    yield Quantity("rtt_floor_seconds", "seconds", "RTT p50 against the reflector in this computer: what we add")
    yield Quantity("jitter_floor_seconds", "seconds", "jitter against the reflector in this computer: what we add")


def _throughput() -> Iterator[Quantity]:
    yield from _directions("throughput_{}_bytes_per_second", "bytes per second", "goodput", "ndt7", interval=True)
    yield from _directions("capacity_{}_bytes_per_second", "bytes per second", "capacity", "RFC 5136", interval=True)
    yield from _directions("rtt_rise_{}_seconds", "seconds", "rise of the RTT while the link is loaded", "")
    yield from _directions("queue_{}_seconds", "seconds", "one-way delay that a full queue adds", "RFC 7928")
    yield from _directions(
        "responsiveness_{}_per_minute", "per minute", "round trips in a minute under load", "IETF responsiveness draft"
    )
    yield from _directions("retransmitted_{}_ratio", "ratio", "TCP bytes sent again, of those sent", "TCP_INFO")
    yield from _directions(
        "internet_speed_{}_bytes_per_second", "bytes per second", "goodput by a third party's test", "speedtest.net"
    )


def _path() -> Iterator[Quantity]:
    yield from _percentiles("gateway_rtt", "min p50 p95", "round trip to the first router", "")
    yield Quantity("gateway_loss_ratio", "ratio", "probes that the first router did not answer", "", interval=True)
    yield Quantity("path_loss_ratio", "ratio", "round trips lost beside the router's, in the same flow", "", True)
    yield Quantity("path_hops", "count", "routers between this computer and the room")
    yield from _directions("path_mtu_{}_bytes", "bytes", "largest IP packet that passes unfragmented", "RFC 8899")
    yield Quantity("dns_lookup_seconds", "seconds", "time until a name server answers, median", "RFC 1035")
    yield Quantity("dns_failed_ratio", "ratio", "questions that no name server answered in time", "RFC 1035")


def _local() -> Iterator[Quantity]:
    yield Quantity("cpu_busy_ratio", "ratio", "this computer's CPU in use, all cores")
    yield Quantity("cpu_wait_ratio", "ratio", "time this program was ready to run and had to wait for a core")
    yield from _directions(
        "background_{}_bytes_per_second", "bytes per second", "what other programs here move by the link", ""
    )


def _join() -> Iterator[Quantity]:
    yield Quantity("join_seconds", "seconds", "the whole join path, until its last step had an answer")
    yield Quantity("join_lookup_seconds", "seconds", "until the slowest of the meeting's names was found", "RFC 1035")
    yield Quantity("tcp_connect_seconds", "seconds", "until the portal's HTTPS port accepted a connection", "RFC 9293")
    yield Quantity("tls_handshake_seconds", "seconds", "TLS handshake with the portal", "RFC 8446")
    yield Quantity("certificate_left_seconds", "seconds", "until the portal's certificate ends", "RFC 5280")
    yield Quantity("portal_seconds", "seconds", "until the login page was there, redirects included", "RFC 9110")
    yield Quantity("clock_skew_seconds", "seconds", "this computer's clock less the servers', median", "RFC 9110")
    yield Quantity("stun_rtt_seconds", "seconds", "round trip of a STUN binding, median", "RFC 8489")
    for transport in ("udp", "tcp", "tls"):
        name = f"turn_allocation_{transport}_seconds"
        yield Quantity(name, "seconds", f"until a TURN server by {transport.upper()} had answered", "RFC 8656")


def _call() -> Iterator[Quantity]:
    yield Quantity("call_signalling_seconds", "seconds", "from the offer sent to the room's answer", "RFC 9725")
    yield Quantity("call_gathering_seconds", "seconds", "until the ways to try were known", "RFC 8445")
    yield Quantity("call_ice_seconds", "seconds", "from the answer until a way was found", "RFC 8445")
    yield Quantity("call_dtls_seconds", "seconds", "from the way found until the keys were agreed", "RFC 5764")
    yield Quantity("call_setup_seconds", "seconds", "ICE and DTLS, from offer to connected", "RFC 8445")
    yield Quantity("first_audio_seconds", "seconds", "from joining to the first sound that came back")
    yield Quantity("first_video_seconds", "seconds", "from joining to the first picture that came back")
    yield Quantity("first_media_seconds", "seconds", "from joining to the first sound or picture", "")
    yield Quantity("call_frames_sent_per_second", "frames per second", "pictures encoded and sent")
    yield Quantity("call_frames_per_second", "frames per second", "pictures that came back")
    yield Quantity("call_frozen_ratio", "ratio", "share of the time in which the returned picture stood still")
    yield Quantity("call_audio_gap_ratio", "ratio", "share of the returned sound that is missing")
    yield Quantity("call_frames_skipped_ratio", "ratio", "pictures that were due and not encoded in time")
    yield from _percentiles("call_frame_rtt", "p50 p95", "a picture's way to the room and back, coding included", "")
    yield Quantity("call_cpu_ratio", "ratio", "this computer's CPU used during the call", "")


def _camera() -> Iterator[Quantity]:
    yield Quantity("camera_open_seconds", "seconds", "from opening the camera to its first picture")
    yield Quantity("camera_frames_per_second", "frames per second", "camera frames delivered at 720p", "")
    yield Quantity("camera_advertised_frames_per_second", "frames per second", "what the camera says of that mode")
    yield Quantity("camera_dropped_ratio", "ratio", "camera frames that were due by its clock and did not come")
    yield Quantity("camera_black_ratio", "ratio", "camera frames that show nothing", "")
    yield Quantity("camera_frozen_ratio", "ratio", "camera frames that repeat the one before, for 0.15 s or longer", "")
    yield Quantity("camera_brightness_ratio", "ratio", "mean luminance of the picture, 1 is white", "ITU-R BT.601")
    yield Quantity("face_height_ratio", "ratio", "height of the largest face, of the picture's height")


def _sound() -> Iterator[Quantity]:
    yield Quantity("speech_level_dbfs", "dBFS", "level of speech, RMS", "")
    yield Quantity("signal_to_noise_db", "dB", "speech above the noise of the room", "")
    yield Quantity("sound_peak_dbfs", "dBFS", "loudest sample")
    yield Quantity("noise_floor_dbfs", "dBFS", "level when nobody speaks, RMS")
    yield Quantity("hum_dbfs", "dBFS", "level of mains hum: 50 Hz and its harmonics")
    yield Quantity("clipped_ratio", "ratio", "samples at the end of the scale, in runs")
    yield Quantity("dc_offset_ratio", "ratio", "mean of the samples, of full scale")
    yield Quantity("sound_bandwidth_hertz", "hertz", "highest frequency that the microphone passes")
    yield Quantity("sound_dropped_ratio", "ratio", "samples missing, by the clock and by gaps")
    yield Quantity("sound_rate_error_ratio", "ratio", "how far the sample rate is from what it should be")
    yield Quantity("echo_delay_seconds", "seconds", "from the speaker to the microphone, with all queues within")
    yield Quantity("echo_return_loss_db", "dB", "level played less level heard", "ITU-T G.122")


def _computer() -> Iterator[Quantity]:
    yield Quantity("encode_cpu_ratio", "ratio", "CPU that 720p at 30 frames a second takes, of all cores")
    yield Quantity("encode_speed_ratio", "ratio", "how many times faster than it must be 720p is encoded")
    yield Quantity("memory_free_bytes", "bytes", "memory that programs can still have")
    yield Quantity("disk_free_bytes", "bytes", "space left where the user's files are")
    yield Quantity("battery_ratio", "ratio", "charge of the battery")
    yield Quantity("display_height_pixels", "count", "height of the largest display")


def _wifi() -> Iterator[Quantity]:
    yield Quantity("wifi_signal_dbm", "dBm", "received signal strength", "IEEE 802.11")
    yield Quantity("wifi_retry_ratio", "ratio", "wifi frames sent again, of those sent, during the run", "IEEE 802.11")
    yield Quantity("wifi_rate_bytes_per_second", "bytes per second", "wifi transmit rate, median", "IEEE 802.11")


_PARTS = (_echo, _sender, _throughput, _path, _local, _join, _call, _camera, _sound, _computer, _wifi)
QUANTITIES: dict[str, Quantity] = {q.name: q for part in _PARTS for q in part()}
NAMES: frozenset[str] = frozenset(name for q in QUANTITIES.values() for name in q.names)

FAILURES: dict[str, str] = {
    "room_unreachable": "no answer from the test room",
    "room_refused_connection": "the test room's computer answers, but no test room runs there",
    "room_name_unknown": "the test room's name could not be found",
    "room_certificate_untrusted": "the test room's certificate is not trusted by this computer",
    "room_certificate_mismatch": "the test room's certificate is not the expected one",
    "room_certificate_not_valid_now": "the certificate is not valid at this computer's time: is the clock right?",
    "room_token_refused": "the test room does not accept this token",
    "room_busy": "the test room has no place free just now",
    "room_too_many_requests": "too many tests from here in a short time",
    "room_protocol": "what answers there is not a test room of this kind",
    "session_expired": "the test room ended the session before the test was over",
    "no_reply": "the test room's UDP port answers nothing at all on this link",
    "room_test_not_offered": "the test room does not offer this test",
    "transfer_stalled": "the transfer began and then stopped",
    "budget_spent": "the data budget leaves nothing to test with",
    "dns_no_resolver": "the link has no name server",
    "dns_timeout": "no name server of this link answered",
    "third_party_unreachable": "the third party's speed test did not answer",
    "no_route": "no way out to the network leads by this link",
    "captive_portal": "the network wants its own login page to be filled in first",
    "proxy_unreachable": "the proxy that this computer is told to use does not answer",
    "proxy_refused": "the proxy does not let the connection through",
    "dns_nxdomain": "the name server says that the name does not exist",
    "dns_servfail": "the name server could not find out the address",
    "dns_no_answer": "no name server answered when asked for the meeting service",
    "dns_resolver_silent": "one of the link's name servers does not answer",
    "dns_disagreement": "the link's name servers contradict each other",
    "tcp_refused": "the service's computer refuses the connection",
    "tcp_timeout": "the connection attempt is not answered",
    "tcp_unreachable": "a router says that the service cannot be reached",
    "tcp_family_broken": "the service answers by one of IPv4 and IPv6 only",
    "tls_expired": "the service's certificate has expired",
    "tls_not_valid_now": "the certificate is not valid at this computer's time, which is wrong",
    "tls_wrong_name": "the certificate belongs to another name",
    "tls_untrusted": "the certificate's issuer is not trusted by this computer: somebody may stand between",
    "tls_intercepted": "the certificate is trusted here but not issued by whom it should be: somebody reads along",
    "tls_failed": "the encrypted connection cannot be set up",
    "portal_error": "the login page answers with an error of its own",
    "portal_refused": "the login page refuses to be shown",
    "portal_redirect_loop": "the login page sends the browser round in circles",
    "portal_silent": "the login page does not answer, although the connection is there",
    "identity_provider_unreachable": "no login service can be reached",
    "identity_provider_missing": "one of the login services cannot be reached",
    "media_unreachable": "the meeting's media server answers neither by UDP nor by TCP",
    "udp_blocked": "the media server answers by TCP but not by UDP",
    "turn_unreachable": "no relay for sound and picture answers",
    "turn_udp_blocked": "the relay for sound and picture answers by TCP or TLS, not by UDP",
    "turn_unauthorized": "the relay does not accept the user name and password that the room gave",
    "turn_forbidden": "the relay forbids its use",
    "turn_quota": "the relay has no place free",
    "turn_failed": "the relay answers with an error",
    "turn_intercepted": "what answers in the relay's place is not a relay",
    "ice_failed": "no way for sound and picture was found",
    "dtls_failed": "a way was found, but the keys for sound and picture could not be agreed on it",
    "media_silent_up": "sound and picture from this computer do not reach the room",
    "media_silent_down": "sound and picture from the room do not reach this computer",
    "call_broken_off": "the call began and then ended by itself",
    "call_not_possible": "this computer cannot make a test call",
    "camera_none": "this computer has no camera",
    "camera_busy": "another program uses the camera",
    "camera_forbidden": "this program may not use the camera",
    "camera_silent": "the camera opens but gives no pictures",
    "camera_vanished": "the camera was unplugged during the test",
    "microphone_none": "this computer has no microphone",
    "microphone_busy": "another program uses the microphone alone",
    "microphone_forbidden": "this program may not use the microphone",
    "microphone_silent": "the microphone opens but gives no sound at all",
    "microphone_vanished": "the microphone was unplugged during the test",
    "speaker_none": "this computer has no speaker or headphones",
    "speaker_busy": "another program uses the speaker alone",
    "speaker_vanished": "the speaker was unplugged during the test",
    "sound_system_missing": "this computer has no sound system that answers",
    "devices_unanswered": "the system did not say in time which devices of this kind there are",
    "device_library_missing": "a part of the program that talks to devices is not installed",
    "link_vanished": "the link disappeared during the test",
    "link_no_address": "the link has no address to send from",
    "link_not_bound": "packets could not be bound to this link's device",
    "link_bypassed": "the packets did not leave by this link",
    "clock_stepped": "this computer's clock was set during the test",
    "timeout": "the deadline passed",
    "interrupted": "the test was stopped",
    "probe_broken": "the probe itself failed; this is a defect of the program",
}
