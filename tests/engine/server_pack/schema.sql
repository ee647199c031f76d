CREATE TABLE item (
    id    int PRIMARY KEY,
    name  text NOT NULL,
    place vector(3)
);

INSERT INTO item VALUES (1, 'one', '[1,0,0]'), (2, 'two', '[0,1,0]');
