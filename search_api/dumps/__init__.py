"""Files of the whole directory that people download: what they hold, their making, their pages."""
