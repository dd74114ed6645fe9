-- A blog as one writes it by hand: constraints inline, lower case, everything in public.
create table author (
    id serial primary key,
    name text not null check (length(name) > 0),
    email varchar(255) not null unique,
    bio text default 'it''s; me',
    joined timestamptz not null default now()
);

create table post (
    id bigserial primary key,
    author_id int not null references author on delete cascade,
    slug text unique not null,
    title text not null,
    body text not null default '',
    tags text[] not null default '{}',
    score numeric(5, 2) default (1 + 2) * 3 not null,
    published boolean default (false is not true) not null,
    meta jsonb default '{"a": ";"}'::jsonb,
    at timestamp(3) without time zone default current_timestamp not null
);

create table comment (
    id int generated always as identity primary key,
    post_id bigint references post (id) on update cascade on delete set null,
    parent_id int references comment,
    author_id integer,
    body text,
    constraint comment_author_fk foreign key (author_id) references author (id) not valid
);
alter table comment add constraint comment_pair unique (post_id, author_id);
create index on comment (post_id);
create index comment_recent on comment using btree (post_id desc nulls last, id) where body is not null;
create unique index comment_lower on comment (lower(body));
create unique index comment_part on comment (author_id) where parent_id is null;

create view v_author as
select id, jsonb_build_object('name', name, 'email', email) as data from author;

-- tviewc: key(id)
create or replace view v_post as
select p.id, p.author_id, jsonb_build_object(
    'id', p.id,
    'title', p.title,
    'author', a.data,
    'comments', (select coalesce(jsonb_agg(jsonb_build_object('id', c.id, 'body', c.body) order by c.id), '[]')
                 from comment c where c.post_id = p.id)
) as data
from post p join v_author a on a.id = p.author_id;
