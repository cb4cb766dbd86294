-- Effect: say whether the schema has nothing in it.
-- Locks: none. Index: none; the catalogue is read.
SELECT NOT EXISTS (SELECT FROM pg_class WHERE relnamespace = '{schema}'::regnamespace)
    AND NOT EXISTS (SELECT FROM pg_proc WHERE pronamespace = '{schema}'::regnamespace)
    AND NOT EXISTS (SELECT FROM pg_type WHERE typnamespace = '{schema}'::regnamespace)
