-- Effect: end the attempt of a current claim. `state` is the outcome's, but a job with a requested cancellation is
--     cancelled instead of waiting again. A finished job frees a unique key that it holds until then.
--     `errors` has a line for each error, and keeps 20 of them.
-- Locks: write. Index: primary key.
UPDATE {prefix}_jobs
SET state = iif(cancel_requested AND :state IN ('pending', 'retrying'), 'cancelled', :state),
    run_at = iif(cancel_requested OR :state NOT IN ('pending', 'retrying'), run_at, :run_at),
    max_attempts = iif(:state = 'pending', min(max_attempts, 2147483646) + 1, max_attempts),
    finished_at = iif(cancel_requested OR :state NOT IN ('pending', 'retrying'), :now, NULL),
    held_key = iif(
        (cancel_requested OR :state NOT IN ('pending', 'retrying')) AND unique_until = 'finished', NULL, held_key
    ),
    result = iif(:state = 'completed', :result, result),
    last_error = coalesce(:error, last_error),
    error_type = iif(:error IS NULL, error_type, :error_type),
    errors = CASE
        WHEN :entry IS NULL THEN errors
        WHEN errors IS NULL THEN :entry
        WHEN length(errors) - length(replace(errors, char(10), '')) < 19 THEN errors || char(10) || :entry
        ELSE substr(errors, instr(errors, char(10)) + 1) || char(10) || :entry
    END,
    lease_until = NULL, updated_at = :now
WHERE id = :id AND state = 'running' AND attempt = :attempt
