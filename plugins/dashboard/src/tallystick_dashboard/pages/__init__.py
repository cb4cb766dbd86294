"""The pages: HTML made on the server, which works without JavaScript and is refreshed by htmx."""
