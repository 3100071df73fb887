"""The assembled ASGI application."""
