/** The schema that the catalog commands are asked about: what PGAdapter's baseline was measured with. */
export const SCHEMA = `
create schema app;
create table authors (id bigint primary key, name varchar(100) not null, born date, bio text default 'n/a');
create table books (id bigint primary key, author_id bigint not null references authors (id), title varchar(80) not null,
  price numeric(10,2) check (price >= 0), tags text[]);
create table app.t1 (id bigint primary key, note text);
create index books_title_ix on books (title);
create unique index authors_name_ix on authors (name);
create view v_books as select b.id, b.title, a.name from books b join authors a on a.id = b.author_id;
create sequence s1;
`

/** psql 15's catalog commands, and the seven that need none. */
export const COMMANDS: readonly string[] = [
  '\\d nosuch',
  '\\l',
  '\\l+',
  '\\d',
  '\\d+',
  '\\d authors',
  '\\d+ authors',
  '\\d books',
  '\\d+ books',
  '\\d app.t1',
  '\\d books_title_ix',
  '\\d s1',
  '\\d v_books',
  '\\d+ v_books',
  '\\dt',
  '\\dt+',
  '\\dt app.*',
  '\\dt *.*',
  '\\di',
  '\\di+',
  '\\dv',
  '\\dv+',
  '\\ds',
  '\\dn',
  '\\dn+',
  '\\df',
  '\\df name',
  '\\du',
  '\\dg',
  '\\dT',
  '\\dT+',
  '\\dp',
  '\\z',
  '\\ddp',
  '\\db',
  '\\dx',
  '\\dD',
  '\\dC',
  '\\dO',
  '\\do',
  '\\da',
  '\\dc',
  '\\dL',
  '\\dF',
  '\\dy',
  '\\dP',
  '\\dRp',
  '\\dconfig',
  '\\dd',
  '\\sv v_books',
  '\\sf now',
  '\\dE',
  '\\dm',
  '\\drds',
  '\\dA',
  '\\dAc',
  '\\dX',
  '\\encoding',
  'select 1 as one, 2 as two \\gdesc',
  'select 1 as one, 2 as two \\gx',
]

/** Commands whose answer is about the server rather than the schema: they must work, and are known to differ. */
export const KNOWN_DIFFERENCES: ReadonlyMap<string, string> = new Map([
  ['\\du', 'the companion has roles of its own'],
  ['\\dg', 'the companion has roles of its own'],
  ['\\dconfig', 'the companion runs with settings of its own'],
  ['\\l+', 'sizes are those of the empty mirror'],
  ['\\l', 'the databases are those of the backend'],
  ['\\d+', 'sizes are those of the empty mirror'],
  ['\\dt+', 'sizes are those of the empty mirror'],
  ['\\di+', 'sizes are those of the empty mirror'],
])
