"""The page people look at: one HTML shell, own CSS and JavaScript, the LED rings drawn by the panel's own patterns."""

from appliance.hub.page.site import routes

__all__ = ["routes"]
