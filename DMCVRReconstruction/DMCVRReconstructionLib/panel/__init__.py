"""The parts of the panel, and the choices that it keeps in the scene."""
