"""The backend under test: open its stores, record its calls, and describe its values and errors without secrets."""
