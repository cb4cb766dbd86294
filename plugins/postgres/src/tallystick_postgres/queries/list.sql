-- Effect: read one page of records below an id, newest first, that match a filter. A NULL list matches every record.
-- Locks: none. Index: primary key, read until the page is full, or another index if the filter is selective.
SELECT {columns}
FROM {schema}.jobs
WHERE (%(after)s::uuid IS NULL OR id < %(after)s::uuid)
    AND (%(ids)s::uuid[] IS NULL OR id = ANY (%(ids)s::uuid[]))
    AND (%(states)s::text[] IS NULL OR state = ANY (%(states)s::text[]))
    AND (%(kinds)s::text[] IS NULL OR kind = ANY (%(kinds)s::text[]))
    AND (%(queues)s::text[] IS NULL OR queue = ANY (%(queues)s::text[]))
    AND (%(tags)s::text[] IS NULL OR (tags <> '{}' AND tags && %(tags)s::text[]))
ORDER BY id DESC
LIMIT %(limit)s
