"""Conversations as files: each format has a module for its writer, and one for its reader. Pure."""
