"""The location index: places, resolution of addresses, geocoding, contours."""
