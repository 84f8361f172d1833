"""The JSON API: each module a router."""
