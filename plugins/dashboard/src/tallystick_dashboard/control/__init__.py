"""The control plane: everything that the pages and the JSON API show and do, by the contract alone."""
