import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.Savepoint;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Map;

/** One step of pgjdbc for each line of standard input; `done` on standard output after each. */
public class RpcBudget {
  private static final String READ = "select n, v from item where id = ?";
  private static final String WRITE = "update item set n = n + 1 where id = ?";
  private static final String INSERT = "insert into item (id, n) values (?, ?)";

  private static Connection connection;
  private static Connection autosaving;
  private static long nextId = 500;

  private interface Step {
    void run() throws SQLException;
  }

  private static final Map<String, Step> STEPS = Map.ofEntries(
      Map.entry("connect", RpcBudget::connect),
      Map.entry("select 1", () -> execute("select 1")),
      Map.entry("read", () -> prepared(READ)),
      Map.entry("write", () -> prepared(WRITE)),
      Map.entry("insert with generated keys", RpcBudget::insertWithKeys),
      Map.entry("read that is prepared at the server", RpcBudget::readOften),
      Map.entry("transaction", () -> transaction(READ, WRITE, WRITE)),
      Map.entry("read-only transaction", RpcBudget::readOnly),
      Map.entry("empty transaction", () -> transaction()),
      Map.entry("transaction with savepoints", RpcBudget::savepoints),
      Map.entry("transaction with autosave", RpcBudget::autosave),
      Map.entry("transaction with a fetch size", RpcBudget::fetchSize),
      Map.entry("batch of updates", () -> batch(WRITE)),
      Map.entry("batch of inserts", RpcBudget::batchOfInserts),
      Map.entry("batch of inserts in a transaction", RpcBudget::batchInTransaction),
      Map.entry("the same with generated keys", RpcBudget::batchWithKeys),
      Map.entry("isValid", () -> connection.isValid(5)));

  public static void main(String[] args) throws Exception {
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      System.out.println(outcome(line));
    }
  }

  private static String outcome(String line) {
    try {
      STEPS.get(line).run();
      return "done";
    } catch (SQLException | RuntimeException error) {
      return error.toString().replace('\n', ' ');
    }
  }

  private static void connect() throws SQLException {
    connection = DriverManager.getConnection(url());
    autosaving = DriverManager.getConnection(url() + "&autosave=always");
    autosaving.setAutoCommit(false);
  }

  private static String url() {
    Map<String, String> env = System.getenv();
    return "jdbc:postgresql://%s:%s/%s?user=%s&sslmode=disable".formatted(
        env.get("PGHOST"), env.get("PGPORT"), env.get("PGDATABASE"), env.get("PGUSER"));
  }

  private static void execute(String text) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(text);
    }
  }

  private static void prepared(String text) throws SQLException {
    prepared(connection, text);
  }

  private static void prepared(Connection on, String text) throws SQLException {
    try (PreparedStatement statement = on.prepareStatement(text)) {
      statement.setLong(1, 1);
      statement.execute();
    }
  }

  /** The driver names a statement at its fifth execution. */
  private static void readOften() throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(READ)) {
      for (int count = 0; count < 7; count++) {
        statement.setLong(1, count);
        statement.executeQuery().close();
      }
    }
  }

  private static void insertWithKeys() throws SQLException {
    int returns = Statement.RETURN_GENERATED_KEYS;
    try (PreparedStatement statement = connection.prepareStatement(INSERT, returns)) {
      bindRow(statement);
      statement.executeUpdate();
      try (ResultSet keys = statement.getGeneratedKeys()) {
        keys.next();
      }
    }
  }

  private static void bindRow(PreparedStatement statement) throws SQLException {
    statement.setLong(1, nextId++);
    statement.setInt(2, 1);
  }

  private static void inTransaction(Step step) throws SQLException {
    connection.setAutoCommit(false);
    step.run();
    connection.commit();
    connection.setAutoCommit(true);
  }

  private static void transaction(String... texts) throws SQLException {
    inTransaction(() -> {
      for (String text : texts) {
        prepared(text);
      }
    });
  }

  private static void readOnly() throws SQLException {
    connection.setReadOnly(true);
    transaction(READ, READ);
    connection.setReadOnly(false);
  }

  private static void savepoints() throws SQLException {
    inTransaction(() -> {
      for (String text : new String[] {READ, WRITE}) {
        Savepoint savepoint = connection.setSavepoint();
        prepared(text);
        connection.releaseSavepoint(savepoint);
      }
    });
  }

  /** The driver puts a savepoint before each statement. */
  private static void autosave() throws SQLException {
    prepared(autosaving, READ);
    prepared(autosaving, WRITE);
    autosaving.commit();
  }

  /** A portal that is fetched from, one row at a time. */
  private static void fetchSize() throws SQLException {
    inTransaction(() -> {
      try (Statement statement = connection.createStatement()) {
        statement.setFetchSize(1);
        ResultSet rows = statement.executeQuery("select id from item order by id limit 3");
        while (rows.next()) {
          rows.getLong(1);
        }
      }
    });
  }

  private static void batch(String text) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(text)) {
      for (long id = 1; id <= 3; id++) {
        statement.setLong(1, id);
        statement.addBatch();
      }
      statement.executeBatch();
    }
  }

  private static void batchOfInserts() throws SQLException {
    insertBatch(Statement.NO_GENERATED_KEYS);
  }

  private static void batchInTransaction() throws SQLException {
    inTransaction(RpcBudget::batchOfInserts);
  }

  private static void batchWithKeys() throws SQLException {
    inTransaction(() -> insertBatch(Statement.RETURN_GENERATED_KEYS));
  }

  private static void insertBatch(int returns) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(INSERT, returns)) {
      for (int count = 0; count < 3; count++) {
        bindRow(statement);
        statement.addBatch();
      }
      statement.executeBatch();
    }
  }
}
