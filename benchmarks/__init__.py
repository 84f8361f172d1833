"""Measurements, each by one command; not part of the product."""
