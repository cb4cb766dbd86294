-- Effect: read whether the schema contains nothing.
-- Locks: none. Index: none; it reads the catalog.
SELECT NOT EXISTS (SELECT FROM pg_class WHERE relnamespace = '{schema}'::regnamespace)
    AND NOT EXISTS (SELECT FROM pg_proc WHERE pronamespace = '{schema}'::regnamespace)
    AND NOT EXISTS (SELECT FROM pg_type WHERE typnamespace = '{schema}'::regnamespace)
