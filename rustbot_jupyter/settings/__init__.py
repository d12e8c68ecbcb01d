"""Profiles, layers, keys and the settings file."""
