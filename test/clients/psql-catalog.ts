/** The schema that the catalog commands are asked about: what PGAdapter's baseline was measured with. */
export const SCHEMA = `
create schema app;
create table authors (id bigint primary key, name varchar(100) not null, born date, bio text default 'n/a');
create table books (id bigint primary key, author_id bigint not null references authors (id), title varchar(80) not null,
  price numeric(10,2) check (price >= 0), tags text[]);
create extension hstore;
create extension "uuid-ossp" schema app;
create domain posint as integer constraint positive check (value > 0);
create domain app.code as varchar(8) not null default 'none' check (value = upper(value));
comment on domain posint is 'above zero';
create function add_em(x integer, y integer default 2, variadic z integer[] default '{}') returns integer language sql immutable strict
  as 'select x + y';
create function app.parts(a integer, out b integer, out c text) language sql parallel safe begin atomic select a, 'x' as c; end;
comment on function add_em is 'a sum';
revoke execute on function add_em from public;
create table app.t1 (id bigint primary key, note text, n posint, code app.code);
create index books_title_ix on books (title);
create unique index authors_name_ix on authors (name);
create view v_books as select b.id, b.title, a.name from books b join authors a on a.id = b.author_id;
create sequence s1;
`

/** psql 15's commands that look at catalogs, with and without `+` and `S` (manual, psql, "Meta-Commands"), and four that look at nothing. */
export const COMMANDS: readonly string[] = [
  ...[
    '\\d nosuch',
    '\\d',
    '\\d+',
    '\\dS',
    '\\d authors',
    '\\d+ authors',
    '\\d books',
    '\\d+ books',
  ],
  ...[
    '\\d app.t1',
    '\\d app.*',
    '\\d books_title_ix',
    '\\d+ books_title_ix',
    '\\d s1',
    '\\d v_books',
    '\\d+ v_books',
  ],
  ...['\\d pg_class', '\\d pg_stat_activity', '\\d information_schema.tables'],
  ...[
    '\\da',
    '\\daS',
    '\\dA',
    '\\dA+',
    '\\dAc',
    '\\dAc+',
    '\\dAf',
    '\\dAf+',
    '\\dAo',
    '\\dAo+',
    '\\dAp',
    '\\dAp+',
  ],
  ...[
    '\\db',
    '\\db+',
    '\\dc',
    '\\dc+',
    '\\dcS',
    '\\dconfig',
    '\\dconfig+',
    '\\dconfig DateStyle',
    '\\dC',
    '\\dC+',
  ],
  ...[
    '\\dd',
    '\\ddS',
    '\\dD',
    '\\dD+',
    '\\dDS',
    '\\ddp',
    '\\dE',
    '\\dE+',
    '\\di',
    '\\di+',
    '\\diS',
    '\\dm',
    '\\dm+',
  ],
  ...[
    '\\ds',
    '\\ds+',
    '\\dsS',
    '\\dt',
    '\\dt+',
    '\\dtS',
    '\\dt app.*',
    '\\dt *.*',
    '\\di *.*',
    '\\dv',
    '\\dv+',
    '\\dvS',
  ],
  ...['\\des', '\\des+', '\\det', '\\det+', '\\deu', '\\deu+', '\\dew', '\\dew+'],
  ...[
    '\\df',
    '\\df+',
    '\\df name',
    '\\df now',
    '\\df+ now',
    '\\dfS',
    '\\dfa',
    '\\dfn',
    '\\dfp',
    '\\dft',
    '\\dfw',
    '\\dfwS',
  ],
  ...[
    '\\dF',
    '\\dF+',
    '\\dFd',
    '\\dFd+',
    '\\dFp',
    '\\dFp+',
    '\\dFt',
    '\\dFt+',
    '\\dg',
    '\\dg+',
    '\\dl',
    '\\dl+',
  ],
  ...[
    '\\dL',
    '\\dL+',
    '\\dLS',
    '\\dn',
    '\\dn+',
    '\\dnS',
    '\\do',
    '\\do+',
    '\\doS',
    '\\dO',
    '\\dO+',
    '\\dOS',
  ],
  ...[
    '\\dp',
    '\\dpS',
    '\\dp *.*',
    '\\dP',
    '\\dP+',
    '\\dPi',
    '\\dPt',
    '\\dPn',
    '\\drds',
    '\\dRp',
    '\\dRp+',
    '\\dRs',
    '\\dRs+',
  ],
  ...[
    '\\dT',
    '\\dT+',
    '\\dTS',
    '\\dTS+',
    '\\du',
    '\\du+',
    '\\dx',
    '\\dx+',
    '\\dX',
    '\\dy',
    '\\dy+',
    '\\z',
    '\\zS',
  ],
  ...[
    '\\l',
    '\\l+',
    '\\lo_list',
    '\\sv v_books',
    '\\sv+ v_books',
    '\\sf now',
    '\\sf+ now',
    '\\sf pg_get_viewdef',
  ],
  ...[
    '\\encoding',
    'select 1 as one, 2 as two \\gdesc',
    'select 1 as one, 2 as two \\gx',
    'select 1 as one \\gset\n\\echo :one',
  ],
  ...[
    'select 1 as a, 2 as b, 3 as c \\crosstabview',
    '\\copy (select 1) to stdout csv',
    '\\conninfo',
  ],
  // What the commands about roles, databases and settings rest on, beyond what they show of it.
  'select rolname, rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, rolreplication, rolconfig from pg_roles order by 1;',
  'select usename, usecreatedb, usesuper, passwd from pg_user; select groname, grolist from pg_group order by 1;',
  'select roleid::regrole, member::regrole, grantor::regrole, admin_option from pg_auth_members order by 1, 2;',
  'table information_schema.enabled_roles; table information_schema.applicable_roles;',
  `select d.datname, d.datdba::regrole, d.datacl, r.rolname, d.tableoid::regclass from pg_database d join pg_roles r on r.oid = d.datdba order by 1;`,
  `select datname, datdba::regrole from (select * from pg_catalog.pg_database) d where exists (select from pg_database where oid = d.oid and datallowconn) order by 1;`,
  `select name, setting, unit, reset_val from pg_settings
    where name !~ '^(listen_addresses|port|unix_socket_permissions|shared_memory_size.*)$';`,
  `select name, setting from pg_settings where name = 'jit'; set jit = off; show jit; select name, setting, source, reset_val from pg_settings where name = 'jit';
   reset jit; show jit; select current_setting('shared_buffers'), current_setting('jit');`,
  ...['nosuch', 'spanwire_admin', 'current_user', '"tester"'].map(
    (owner) => `create database owned owner ${owner};
      select pg_get_userbyid(datdba) from pg_database where datname = 'owned'; drop database if exists owned;`,
  ),
]
