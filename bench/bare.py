"""A bare Starlette route behind the same server, as the bound for the emulator: `python -m bench.bare` prints its port."""

from __future__ import annotations

import socket

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route


async def user(request: Request) -> JSONResponse:
    """A user that needs no looking up."""
    return JSONResponse(
        {"id": request.path_params["key"], "displayName": "Bare", "userPrincipalName": "bare@x.example"}
    )


def main() -> None:
    """Serve on a free port of loopback until killed."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.bind(("127.0.0.1", 0))
    bound.listen(64)
    print(bound.getsockname()[1], flush=True)
    app = Starlette(routes=[Route("/v1.0/users/{key}", user)])
    config = uvicorn.Config(app, log_level="warning", lifespan="off", server_header=False, date_header=False)
    uvicorn.Server(config).run(sockets=[bound])


if __name__ == "__main__":
    main()
