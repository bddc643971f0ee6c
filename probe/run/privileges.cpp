#include "probe/run/privileges.h"

#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace probe::run {
namespace {

[[noreturn]] void fail(const std::string& what) { throw std::runtime_error(what + ": " + std::strerror(errno)); }

// glibc does this for all threads of the process, those that a driver has started too.
void become(const std::string& user) {
  errno = 0;
  const passwd* p = getpwnam(user.c_str());
  if (!p && errno == 0) throw std::runtime_error("run.user: there is no user " + user);
  if (!p) fail("run.user: cannot look up " + user);
  if (p->pw_uid == 0) throw std::runtime_error("run.user: " + user + " is root; leave it empty to stay root");
  if (initgroups(user.c_str(), p->pw_gid) != 0 || setgid(p->pw_gid) != 0 || setuid(p->pw_uid) != 0)
    fail("cannot become " + user);
}

void give_up_capabilities() {
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  const __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {};
  if (syscall(SYS_capset, &header, none) != 0) fail("cannot give up capabilities");
}

}  // namespace

std::string drop_privileges(const std::string& user) {
  const bool root = geteuid() == 0;
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) fail("cannot set no_new_privs");
  if (root && user.empty()) return "root, as started: set run.user to give it up";
  if (root) become(user);
  give_up_capabilities();
  return root ? user + ", without capabilities" : "as started, without capabilities";
}

}  // namespace probe::run
