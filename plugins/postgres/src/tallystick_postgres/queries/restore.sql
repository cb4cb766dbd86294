-- Effect: store whole records; skip one whose id is stored, or whose key another job holds. `held_key` is the unique key
--     of a record that holds it. Each of `errors` has a line for each error.
-- Locks: waits only for another transaction that is storing the same id or the same key. Rows are inserted in the order
--     of their keys, so that two batches do not deadlock. Index: primary key, jobs_held_keys.
-- Order: the returned rows are in no order.
INSERT INTO {schema}.jobs ({restored_columns}, tags, errors)
SELECT {restored_columns}, tags::text[], string_to_array(errors, E'\n')
FROM unnest({restored_values}, %(tags)s::text[], %(errors)s::text[])
    WITH ORDINALITY AS new ({restored_columns}, tags, errors, n)
ORDER BY held_key, n
ON CONFLICT DO NOTHING
RETURNING id
