-- What was recorded. SQLite and PostgreSQL run the same text: so types are those that both have, numbers are BIGINT, and
-- times are Unix milliseconds, 0 for never. The topic's partition is a `part` and its offset a `place`, because
-- PostgreSQL keeps both words for itself.

-- How far each partition of each topic is recorded: written in the transaction that writes its records.
CREATE TABLE source (
    id BIGINT NOT NULL PRIMARY KEY,
    topic TEXT NOT NULL,
    part BIGINT NOT NULL,
    next_place BIGINT NOT NULL,
    missed BIGINT NOT NULL DEFAULT 0,
    UNIQUE (topic, part)
);

-- A call, or a dial until it has led to one: what is searched for.
CREATE TABLE story (
    call TEXT NOT NULL PRIMARY KEY,
    account TEXT NOT NULL,
    direction TEXT NOT NULL,
    from_number TEXT NOT NULL,
    to_number TEXT NOT NULL,
    leg TEXT NOT NULL,
    session TEXT NOT NULL,
    dial TEXT NOT NULL,
    led_to TEXT NOT NULL,
    outcome TEXT NOT NULL,
    first_ms BIGINT NOT NULL,
    last_ms BIGINT NOT NULL,
    heard_ms BIGINT NOT NULL,
    answered_ms BIGINT NOT NULL,
    ended_ms BIGINT NOT NULL,
    forgotten_ms BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX story_first ON story (first_ms);
CREATE INDEX story_account ON story (account, first_ms);
CREATE INDEX story_outcome ON story (outcome, first_ms);
CREATE INDEX story_account_outcome ON story (account, outcome, first_ms);
CREATE INDEX story_from ON story (from_number, first_ms);
CREATE INDEX story_to ON story (to_number, first_ms);

-- One record of the log. `content` is JSON, with what is sensitive masked.
CREATE TABLE entry (
    source BIGINT NOT NULL,
    place BIGINT NOT NULL,
    call TEXT NOT NULL,
    time_ms BIGINT NOT NULL,
    kind TEXT NOT NULL,
    command_id TEXT NOT NULL,
    account TEXT NOT NULL,
    action TEXT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    sender TEXT NOT NULL,
    attempt BIGINT NOT NULL,
    content TEXT NOT NULL,
    PRIMARY KEY (source, place)
);
CREATE INDEX entry_call ON entry (call, time_ms);
