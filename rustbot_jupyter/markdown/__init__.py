"""Markdown as models write it, read so that a renderer in a notebook shows what they meant."""
