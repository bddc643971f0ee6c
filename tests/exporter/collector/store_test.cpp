#include "exporter/collector/store.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <cstdio>

#include "tests/kit/made_record.h"

namespace probe {
namespace {

// First value of a query as text, "NULL" for none.
std::string ask(sqlite3* db, const std::string& sql) {
  const Statement s = prepare(db, sql);
  if (sqlite3_step(s.get()) != SQLITE_ROW) return "(no row)";
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(s.get(), 0));
  return text ? text : "NULL";
}

class StoreFile : public testing::Test {
 protected:
  StoreFile() { std::remove(path.c_str()); }
  ~StoreFile() override { std::remove(path.c_str()); }
  const std::string path = testing::TempDir() + "store_test.sqlite";
  kit::RecordMaker maker;
};

TEST(Store, HasATableForEachKindAndAColumnForEachElement) {
  Store store("");
  for (const schema::Kind& k : schema::kKinds)
    EXPECT_EQ(ask(store.database(), "SELECT count(*) FROM " + std::string(k.name)), "0");
  EXPECT_EQ(ask(store.database(), "SELECT type FROM pragma_table_info('http') WHERE name = 'httpRequestTarget'"),
            "TEXT");
  EXPECT_EQ(ask(store.database(), "SELECT type FROM pragma_table_info('flow') WHERE name = 'octetDeltaCount'"),
            "INTEGER");
}

TEST(Store, WhatWasNotMeasuredIsNullAndAMeasuredZeroIsZero) {
  kit::RecordMaker maker;
  const auto r = maker.make<"flow">();
  kit::count_flow(*r, 3, 0);
  set_in<"sourceIPv4Address">(*r, std::uint32_t{0xc0000201});
  set_in<"destinationIPv4Address">(*r, std::uint32_t{0xc0000202});
  Store store("");
  store.put(*r);
  store.finish();
  sqlite3* db = store.database();
  EXPECT_EQ(ask(db, "SELECT octetDeltaCount FROM flow"), "0");
  EXPECT_EQ(ask(db, "SELECT tcpServerHandshakeRttMicroseconds FROM flow"), "NULL");
  EXPECT_EQ(ask(db, "SELECT sourceIPv6Address FROM flow"), "NULL");
  EXPECT_EQ(ask(db, "SELECT sourceIPv4Address FROM flow"), "192.0.2.1");
  EXPECT_EQ(ask(db, "SELECT flowStartMilliseconds FROM flow"), "1700000000000");
  EXPECT_EQ(ask(db, "SELECT typeof(octetDeltaCount) || typeof(sourceIPv4Address) FROM flow"), "integertext");
}

TEST(Store, AValueOfOneRecordDoesNotStayForTheNext) {
  kit::RecordMaker maker;
  Store store("");
  for (const bool with : {true, false}) {
    const auto r = maker.make<"http">();
    kit::answer_after(*r, 5);
    if (with) {
      set_in<"httpRequestMethod">(*r, std::string_view("GET"));
      set_in<"httpStatusCode">(*r, std::uint16_t{200});
    }
    store.put(*r);
  }
  store.finish();
  EXPECT_EQ(ask(store.database(), "SELECT count(*) FROM http"), "2");
  EXPECT_EQ(
      ask(store.database(), "SELECT count(*) FROM http WHERE httpRequestMethod IS NULL AND httpStatusCode IS NULL"),
      "1");
}

TEST(Store, TextIsStoredAsItIs) {
  kit::RecordMaker maker;
  const auto r = maker.make<"http">();
  set_in<"httpRequestMethod">(*r, std::string_view("GET"));
  set_in<"httpRequestTarget">(*r, std::string_view("/'; DROP TABLE http; --"));
  Store store("");
  store.put(*r);
  store.finish();
  EXPECT_EQ(ask(store.database(), "SELECT httpRequestTarget FROM http"), "/'; DROP TABLE http; --");
}

TEST_F(StoreFile, AddsToADatabaseThatIsThere) {
  const auto r = maker.make<"http">();
  for (int i = 0; i < 2; ++i) {
    Store store(path);
    store.put(*r);
    store.finish();
  }
  EXPECT_EQ(ask(open_database(path, true).get(), "SELECT count(*) FROM http"), "2");
}

TEST_F(StoreFile, AddsTheColumnsThatAnOlderDatabaseLacks) {
  execute(open_database(path).get(),
          "CREATE TABLE http (httpRequestMethod TEXT, mine TEXT);"
          "INSERT INTO http VALUES ('PUT', 'kept')");
  const auto r = maker.make<"http">();
  set_in<"httpRequestMethod">(*r, std::string_view("GET"));
  Store store(path);
  store.put(*r);
  store.finish();
  EXPECT_EQ(ask(store.database(), "SELECT mine FROM http WHERE httpRequestMethod = 'PUT'"), "kept");
  EXPECT_EQ(ask(store.database(), "SELECT flowId FROM http WHERE httpRequestMethod = 'GET'"), "7");
  EXPECT_EQ(ask(store.database(), "SELECT flowId FROM http WHERE httpRequestMethod = 'PUT'"), "NULL");
}

TEST_F(StoreFile, OthersSeeWhatWasFlushed) {
  const auto r = maker.make<"http">();
  Store store(path);
  store.put(*r);
  EXPECT_EQ(ask(open_database(path, true).get(), "SELECT count(*) FROM http"), "0");
  store.flush();
  EXPECT_EQ(ask(open_database(path, true).get(), "SELECT count(*) FROM http"), "1");
  store.finish();
}

TEST(Store, SaysThatADatabaseCannotBeOpened) {
  try {
    Store store("/nowhere/flows.sqlite");
    FAIL();
  } catch (const std::runtime_error& e) {
    EXPECT_STREQ(e.what(), "cannot open the database /nowhere/flows.sqlite: unable to open database file");
  }
}

TEST_F(StoreFile, SaysThatAFileIsNoDatabase) {
  std::FILE* f = std::fopen(path.c_str(), "w");
  std::fputs("this is a letter to a friend, and has nothing to do with databases", f);
  std::fclose(f);
  EXPECT_THROW(Store{path}, std::runtime_error);
}

TEST_F(StoreFile, SaysAtTheEndThatItCouldNotStore) {
  Store store(path);
  execute(store.database(), "DROP TABLE http");
  const auto r = maker.make<"http">();
  store.put(*r);
  EXPECT_THROW(store.finish(), std::runtime_error);
}

}  // namespace
}  // namespace probe
