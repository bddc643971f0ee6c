"""MySQL protocol: MariaDB with its command line client, and with its C library for what that client does not do."""
import os
import shlex
import subprocess

from capture import HERE, capture
from kit.servers import Mariadb

SETUP = """
CREATE DATABASE shop; CREATE DATABASE archive;
CREATE USER 'clerk'@'%' IDENTIFIED BY 'sell'; GRANT ALL ON *.* TO 'clerk'@'%';
CREATE USER 'reader'@'%' IDENTIFIED BY 'look'; GRANT SELECT ON shop.* TO 'reader'@'%';
USE shop;
CREATE TABLE item (id INT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(80), price INT, note TEXT);
INSERT INTO item (name, price, note) VALUES ('screw', 3, NULL), ('nut', 2, 'zinc'), ('washer', 1, '');
CREATE TABLE big AS SELECT seq AS id, REPEAT('x', 100) AS filler FROM seq_1_to_300;
DELIMITER //
CREATE PROCEDURE report(IN least INT)
BEGIN
  SELECT COUNT(*) FROM item; SELECT name FROM item WHERE price >= least; UPDATE item SET note = 'seen' WHERE id = 1;
END//
DELIMITER ;
"""
SESSION = """
SELECT id, name, price FROM item WHERE price > 1 ORDER BY id;
INSERT INTO item (name, price) VALUES ('rivet', 4), ('pin', 5);
UPDATE item SET price = price + 1 WHERE name IN ('screw', 'nut', 'washer');
DELETE FROM item WHERE id = 2;
SELECT * FROM item WHERE name = 'it''s not there';
SELECT nothing FROM item;
SELEC 1;
INSERT INTO item (id, name) VALUES (1, 'twice');
SELECT * FROM no_such_table;
SELECT SLEEP(0.2);
SELECT * FROM big;
SHOW TABLES;
USE archive;
CREATE TABLE old (id INT);
SET @n = 3;
BEGIN;
INSERT INTO old VALUES (@n);
COMMIT;
PREPARE p FROM 'SELECT ? + 1';
EXECUTE p USING @n;
DROP TABLE old;
"""


def client(world, text, *options, user="clerk", password="sell", schema="shop"):
    command = ["mariadb", "--no-defaults", "-h10.99.0.2", f"-u{user}", f"-p{password}", "--force", "-BN", *options]
    result = subprocess.run(["ip", "netns", "exec", world.a, *command, *([schema] if schema else [])], input=text, text=True,
                            capture_output=True, timeout=60, cwd=world.directory)
    return {"options": shlex.join(options), "user": user, "schema": schema,
            "errors": [line for line in result.stderr.splitlines() if line.startswith("ERROR")]}


def said(mariadb, sessions, *more):
    return {"server": {"sql": mariadb.log()}, "client": {"sql": sessions}, "software": [Mariadb.version() + " (server and client)", *more]}


@capture("""A session of the command line client: login with a schema, SELECT, INSERT, UPDATE, DELETE, USE, a transaction, PREPARE as text,
         four kinds of error, SELECT SLEEP(0.2), a result of 300 rows.""")
def mysql_session(world):
    mariadb = Mariadb(world, SETUP)
    return said(mariadb, [client(world, SESSION)])


@capture("""Logins: without a schema, with a wrong password (1045), to an unknown schema (1049) and as a user without rights
         (1142).""")
def mysql_login(world):
    mariadb = Mariadb(world, SETUP)
    sessions = [client(world, "SELECT 1;", schema=None), client(world, "SELECT 1;", password="wrong"),
                client(world, "SELECT 1;", schema="nowhere"),
                client(world, "DELETE FROM item;\nSELECT 1;", user="reader", password="look")]
    return said(mariadb, sessions)


@capture("""Several results for one command: multi-statements (one of them fails half way), stored procedures with two result sets and an OK,
         and LOAD DATA LOCAL INFILE, where the server asks the client for a file.""")
def mysql_multi(world):
    mariadb = Mariadb(world, SETUP)
    with open(world.path("rows.csv"), "w") as out:
        out.write("".join(f"part {i},{i}\n" for i in range(400)))
    text = """DELIMITER //
SELECT 1; SELECT 'two' AS b; UPDATE item SET price = 9; SELECT COUNT(*) FROM item//
SELECT 1; SELECT * FROM no_such_table; SELECT 3//
CALL report(2)//
LOAD DATA LOCAL INFILE 'rows.csv' INTO TABLE item FIELDS TERMINATED BY ',' (name, price)//
CALL report(100); SELECT 'after'//
"""
    session = client(world, text, "--local-infile")
    return said(mariadb, [session])


@capture("""Prepared statements over the binary protocol: prepared once and executed often, two open at a time, long data, reset, close, a cursor
         with fetches, errors at prepare (1146) and at execute (1062), CALL with two result sets, SLEEP(0.1); COM_PING, COM_STATISTICS,
         COM_FIELD_LIST, COM_INIT_DB, COM_CHANGE_USER.""")
def mysql_prepared(world):
    mariadb = Mariadb(world, SETUP)
    program = world.path("statements")
    flags = subprocess.run(["mariadb_config", "--cflags", "--libs"], check=True, capture_output=True, text=True).stdout.split()
    subprocess.run(["cc", "-Wall", "-o", program, os.path.join(HERE, "statements.c"), *flags], check=True)
    output = world.client([program, "10.99.0.2", "clerk", "sell", "shop"])
    return said(mariadb, [{"printed": output.splitlines()}], "MariaDB Connector/C (statements.c)")


@capture("The compressed protocol: after the login nothing can be read, and nothing must be guessed.", opaque=True)
def mysql_compressed(world):
    mariadb = Mariadb(world, SETUP)
    return said(mariadb, [client(world, "SELECT * FROM big;\nUPDATE item SET price = 0;\n", "--compress")])


@capture("TLS inside the protocol: the client asks for it in its first packet, so neither user nor statements can be read.", opaque=True)
def mysql_tls(world):
    key, certificate = world.path("key.pem"), world.path("cert.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-days", "2",
                    "-subj", "/CN=db.lab.example"], check=True, capture_output=True)
    mariadb = Mariadb(world, SETUP, options=[f"--ssl-cert={certificate}", f"--ssl-key={key}"])
    return said(mariadb, [client(world, "SELECT name FROM item;\n", "--ssl")])


@capture("A session with 5 % loss on both sides of the tap in both directions: results of many segments, short statements, SLEEP(0.1).",
         client_up="loss=5%", client_down="loss=5%", server_up="loss=5%", server_down="loss=5%", seed=21)
def mysql_loss(world):
    mariadb = Mariadb(world, SETUP)
    text = "".join(f"SELECT id, filler FROM big WHERE id > {i * 50 + 20};\nUPDATE item SET price = {i} WHERE id = 1;\n" for i in range(6))
    return said(mariadb, [client(world, text + "SELECT SLEEP(0.1);\nSELECT 'end';\n") for _ in range(2)])
