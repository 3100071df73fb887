"""Search over offers: query model, engines, suggestions, exports, JSON API and pages."""
