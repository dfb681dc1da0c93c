"""Which route record a request is for, and whether it is deployed: the first question of every such route."""

from __future__ import annotations

import logging

from api.errors import ApiError
from application.ports import Directory, RouteRecord

logger = logging.getLogger(__name__)


async def identify_route(directory: Directory, method: str, path: str) -> RouteRecord:
    """The deployed record of the route, read now.

    Raises ApiError identify-request-error where the directory cannot be read, service-not-found where there is no
    record or its service is not deployed, route-not-found where the route is not.
    """
    try:
        record = await directory.route(method, path)
    except Exception as error:
        logger.error("identify-request-error %s", type(error).__name__)
        raise ApiError("identify-request-error") from error
    if record is None or not record.service_deployed:
        raise ApiError("service-not-found")
    if not record.route_deployed:
        raise ApiError("route-not-found")
    return record
