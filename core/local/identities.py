"""The demonstration's identity provider: a place beside the web's, and the settings by which the web finds it."""

import socket
from urllib.parse import urlsplit

from core.local.console import Failure
from core.local.home import Home
from core.local.services import host_of, port_of
from core.local.supervisor import listen

CLIENT = "repere-demonstration"
_TRIED = 20


def demo_identities(home: Home, environ: dict[str, str]) -> socket.socket | None:
    """Take the first free port after the web's, and complete the environment of the processes with it.

    Nothing is taken when the operator names a real provider, or when people reach the demonstration through a proxy,
    which would not carry them to another port.
    """
    port = port_of(environ)
    public = urlsplit(environ["REPERE_PUBLIC_URL"])
    if environ.get("REPERE_PSC_ISSUER") or public.scheme != "http" or public.port != port:
        return None
    for near in range(port + 1, min(port + 1 + _TRIED, 65536)):
        try:
            taken = listen(host_of(environ), near)
        except Failure:
            continue
        host = f"[{public.hostname}]" if ":" in (public.hostname or "") else public.hostname
        environ["REPERE_PSC_ISSUER"] = f"http://{host}:{near}"
        environ["REPERE_PSC_CLIENT_ID"] = CLIENT
        environ["REPERE_PSC_CLIENT_SECRET"] = home.secret("psc_client_secret")
        return taken
    return None
