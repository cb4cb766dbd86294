"""An example project: a shop that ships orders by jobs."""
