"""A self-test's metrics to a Pushgateway. Only where somebody asks for it: see docs/push.md for why not.

A Pushgateway never forgets: it goes on showing a machine's last values as if they were of now. It takes no times
either, so it has nothing to do with the spool: what is not sent at once is not sent.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from reports.record import SelfTest

if TYPE_CHECKING:
    from prometheus_client import Metric

JOB = "motesklar"
ANSWER_S = 10.0


class PushgatewayError(RuntimeError):
    """It did not take the metrics; one line says why."""


def push(url: str, test: SelfTest, machine: str, *, trust: ssl.SSLContext | None = None) -> None:
    """Replace what the gateway shows of this machine: grouped by job and instance. Raises PushgatewayError."""
    from reports.metrics import families

    push_families(url, families(test), {"instance": machine}, trust=trust)


def push_families(
    url: str, metrics: Iterable[Metric], grouping: Mapping[str, str], *, trust: ssl.SSLContext | None = None
) -> None:
    """Blocks for ANSWER_S at most for each step. Raises PushgatewayError."""
    from prometheus_client import CollectorRegistry, push_to_gateway

    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Once([_without_times(metric) for metric in metrics]))
    try:
        push_to_gateway(url, JOB, registry, dict(grouping), ANSWER_S, _handler(trust))
    except (OSError, ValueError) as error:  # ValueError: no URL
        raise PushgatewayError(f"the Pushgateway did not take the metrics: {_words(error)}") from None


class _Once:
    def __init__(self, metrics: list[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        yield from self._metrics


def _without_times(metric: Metric) -> Metric:
    """A Pushgateway refuses samples that carry their own."""
    from prometheus_client import Metric

    bare = Metric(metric.name, metric.documentation, metric.type)
    bare.samples = [sample._replace(timestamp=None) for sample in metric.samples]
    return bare


def _handler(trust: ssl.SSLContext | None) -> Callable[..., Callable[[], None]]:
    """As prometheus_client's own, with a certificate store of the caller's; the proxy is the environment's."""
    from urllib.request import HTTPSHandler, Request, build_opener

    def handle(
        url: str, method: str, timeout: float | None, headers: list[tuple[str, str]], data: bytes
    ) -> Callable[[], None]:
        def send() -> None:
            request = Request(url, data, dict(headers), method=method)  # noqa: S310 - the scheme is the settings'
            more: list[Any] = [HTTPSHandler(context=trust)] if trust is not None else []
            build_opener(*more).open(request, timeout=timeout).close()

        return send

    return handle


def _words(error: Exception) -> str:
    from urllib.error import HTTPError, URLError

    if isinstance(error, HTTPError):
        return f"it answers {error.code}"
    reason = error.reason if isinstance(error, URLError) else error
    return str(getattr(reason, "strerror", None) or reason).splitlines()[0]
