// A client of MariaDB that does what the command line client cannot: prepared statements over the binary protocol
// (COM_STMT_*), and the commands around them. Usage: statements HOST USER PASSWORD SCHEMA
#include <mysql.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static MYSQL *connection;

static void must(int failed, const char *what) {
  if (!failed) return;
  fprintf(stderr, "%s: %s\n", what, mysql_error(connection));
  exit(1);
}

static MYSQL_STMT *prepare(const char *text) {
  MYSQL_STMT *s = mysql_stmt_init(connection);
  must(s == NULL, "mysql_stmt_init");
  if (mysql_stmt_prepare(s, text, strlen(text))) printf("prepare refused: %u %s\n", mysql_stmt_errno(s), mysql_stmt_sqlstate(s));
  return s;
}

static MYSQL_BIND number(int *value) {
  MYSQL_BIND b;
  memset(&b, 0, sizeof b);
  b.buffer_type = MYSQL_TYPE_LONG;
  b.buffer = value;
  return b;
}

static MYSQL_BIND text(char *value, unsigned long *length) {
  MYSQL_BIND b;
  memset(&b, 0, sizeof b);
  b.buffer_type = MYSQL_TYPE_STRING;
  b.buffer = value;
  b.buffer_length = *length;
  b.length = length;
  return b;
}

static int fetch_all(MYSQL_STMT *s) {
  int rows = 0;
  while (mysql_stmt_fetch(s) == 0) ++rows;
  mysql_stmt_free_result(s);
  return rows;
}

static void select_by_id(void) {
  int id = 1;
  MYSQL_STMT *s = prepare("SELECT name, price FROM item WHERE id >= ? ORDER BY id");
  MYSQL_BIND in[1] = {number(&id)};
  must(mysql_stmt_bind_param(s, in), "bind");
  for (id = 1; id <= 3; ++id) {
    must(mysql_stmt_execute(s), "execute");
    printf("select from %d: %d rows\n", id, fetch_all(s));
  }
  must(mysql_stmt_reset(s), "reset");
  mysql_stmt_close(s);
}

static void insert_and_update(void) {
  int price = 5;
  char name[32] = "bolt";
  unsigned long length = strlen(name);
  MYSQL_STMT *insert = prepare("INSERT INTO item (name, price) VALUES (?, ?)");
  MYSQL_STMT *update = prepare("UPDATE item SET price = price + ? WHERE id > 1");
  MYSQL_BIND both[2] = {text(name, &length), number(&price)}, one[1] = {number(&price)};
  must(mysql_stmt_bind_param(insert, both), "bind");
  must(mysql_stmt_bind_param(update, one), "bind");
  for (int i = 0; i < 2; ++i) {  // two statements that are open at the same time, in turn
    must(mysql_stmt_execute(insert), "execute");
    must(mysql_stmt_execute(update), "execute");
    printf("update: %llu rows\n", (unsigned long long)mysql_stmt_affected_rows(update));
  }
  if (mysql_stmt_send_long_data(insert, 0, "a long ", 7) || mysql_stmt_send_long_data(insert, 0, "name", 4))
    must(1, "long data");
  must(mysql_stmt_execute(insert), "execute");
  mysql_stmt_close(insert);
  mysql_stmt_close(update);
}

static void errors(void) {
  int id = 1;
  MYSQL_STMT *s = prepare("SELECT nothing FROM no_such_table");
  mysql_stmt_close(s);
  s = prepare("INSERT INTO item (id, name, price) VALUES (?, 'twice', 1)");
  MYSQL_BIND in[1] = {number(&id)};
  must(mysql_stmt_bind_param(s, in), "bind");
  if (mysql_stmt_execute(s)) printf("execute refused: %u %s\n", mysql_stmt_errno(s), mysql_stmt_sqlstate(s));
  mysql_stmt_close(s);
}

static void with_cursor(void) {
  unsigned long type = CURSOR_TYPE_READ_ONLY, rows = 2;
  MYSQL_STMT *s = prepare("SELECT id FROM item ORDER BY id");
  mysql_stmt_attr_set(s, STMT_ATTR_CURSOR_TYPE, &type);
  mysql_stmt_attr_set(s, STMT_ATTR_PREFETCH_ROWS, &rows);
  must(mysql_stmt_execute(s), "execute");
  printf("cursor: %d rows\n", fetch_all(s));
  mysql_stmt_close(s);
}

static void slow_and_call(void) {
  MYSQL_STMT *s = prepare("SELECT SLEEP(0.1), ?");
  int value = 7;
  MYSQL_BIND in[1] = {number(&value)};
  must(mysql_stmt_bind_param(s, in), "bind");
  must(mysql_stmt_execute(s), "execute");
  fetch_all(s);
  mysql_stmt_close(s);
  s = prepare("CALL report(?)");  // several result sets in one execute
  must(mysql_stmt_bind_param(s, in), "bind");
  must(mysql_stmt_execute(s), "execute");
  do {
    if (mysql_stmt_field_count(s)) printf("call: %d rows\n", fetch_all(s));
  } while (mysql_stmt_next_result(s) == 0);
  mysql_stmt_close(s);
}

int main(int count, char **arguments) {
  if (count != 5) return 2;
  connection = mysql_init(NULL);
  must(!mysql_real_connect(connection, arguments[1], arguments[2], arguments[3], arguments[4], 3306, NULL,
                           CLIENT_MULTI_RESULTS),
       "connect");
  select_by_id();
  insert_and_update();
  errors();
  with_cursor();
  slow_and_call();
  must(mysql_ping(connection), "ping");
  printf("%s\n", mysql_stat(connection) ? "statistics" : "none");
  mysql_free_result(mysql_list_fields(connection, "item", NULL));
  must(mysql_select_db(connection, "archive"), "select_db");
  must(mysql_query(connection, "SELECT 'in archive'"), "query");
  mysql_free_result(mysql_store_result(connection));
  must(mysql_change_user(connection, "reader", "look", "shop"), "change_user");
  must(mysql_query(connection, "SELECT CURRENT_USER()"), "query");
  mysql_free_result(mysql_store_result(connection));
  mysql_close(connection);
  return 0;
}
