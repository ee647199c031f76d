-- The sample schema of the guidance: every section of skills/ starts on a fresh copy of it.
CREATE EXTENSION IF NOT EXISTS vector;

CREATE TABLE users (
    id         serial PRIMARY KEY,
    name       text NOT NULL,
    email      text UNIQUE,
    status     text NOT NULL DEFAULT 'active',
    age        int,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE accounts (
    id      uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    owner   text NOT NULL,
    balance numeric(12, 2) NOT NULL DEFAULT 0
);

CREATE TABLE products (
    id       serial PRIMARY KEY,
    name     text NOT NULL,
    price    numeric(10, 2),
    rating   float8,
    tags     text[],
    metadata jsonb
);

CREATE TABLE events (
    id        int PRIMARY KEY,
    user_id   int REFERENCES users (id),
    kind      text,
    timestamp timestamptz NOT NULL
);

CREATE TABLE embeddings (
    id     int PRIMARY KEY,
    label  text,
    vector vector(3) NOT NULL
);

INSERT INTO users (name, email, status, age) VALUES
    ('Ada', 'ada@example.com', 'active', 36),
    ('Grace', 'grace@example.com', 'active', 45),
    ('Linus', 'linus@example.com', 'inactive', 17);

INSERT INTO products (name, price, rating, tags, metadata) VALUES
    ('Lamp', 19.99, 4.5, '{light,home}', '{"color": "red", "stock": 3}'),
    ('Desk', 250.00, 4.0, '{home}', '{"color": "oak", "stock": 1}');

INSERT INTO events (id, user_id, kind, timestamp) VALUES
    (1, 1, 'login', '2026-01-01 09:00:00+00'),
    (2, 2, 'login', '2026-01-02 09:00:00+00');

-- Euclidean distance and cosine distance rank these differently on purpose.
INSERT INTO embeddings (id, label, vector) VALUES
    (1, 'x', '[1,0,0]'),
    (2, 'y', '[0,1,0]'),
    (3, 'z', '[0,0,1]'),
    (4, 'xy', '[1,1,0]'),
    (5, 'far x', '[9,0,0]');
