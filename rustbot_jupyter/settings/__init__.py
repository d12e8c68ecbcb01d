"""Profiles, layers, keys and the settings file.

hosts     whom an address names, and whether a key may travel there
redaction takes keys out of text and data
profile   every setting: meaning, unit, limits, default
files     the config folder, reading with a limit
document  TOML text, read however broken it is
edits     TOML text, changed with its comments kept
stored    settings.toml, checked field by field
sources   file, .env and environment as layers
layers    `Settings`: all places together, and which of them gave a value
secrets   where a key is found and for which host
"""
