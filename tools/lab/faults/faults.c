/*
 * faults <plan file> <log file> <folder> <program> <argument>...
 *
 * Runs a program and counts its system calls that matter (calls.c), one line of the log each: `<number> <name>`. The plan says
 * what happens at one of them:
 *   trace                nothing
 *   fail <n> <errno>     the nth call fails without being made
 *   kill <n>             the program is killed before the nth call
 *   kill-after <n>       the program is killed right behind it
 *   watch <bytes> <offset> <n>   it is killed right behind the nth store at this offset of the map whose only entry has so many
 *                        bytes
 * SIGUSR1 has the plan read again and the count begin anew; the log says `planned` then, and `done` when it has happened.
 * Ends as the program does. SIGTERM and SIGHUP are handed on; whoever kills this kills the program too.
 */
#define _GNU_SOURCE
#include "faults.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum act { ACT_TRACE, ACT_FAIL, ACT_KILL, ACT_KILL_AFTER, ACT_WATCH };

static struct plan {
	enum act act;
	unsigned long at;
	int error;
	struct watch watch;
} plan;

static const char *plan_path, *folder;
static FILE *log_file;
static pid_t program;
static unsigned long count, hits; /* calls, and stores that were watched for */
static bool is_killed;
/* A call that is being made and has to be looked at when it is done. */
static pid_t kill_behind;
static volatile sig_atomic_t is_plan_new, signal_due;

static void die(const char *what)
{
	fprintf(stderr, "faults: %s: %s\n", what, strerror(errno));
	if (program > 0)
		kill(program, SIGKILL);
	exit(1);
}

static void say(const char *text)
{
	fprintf(log_file, "%s\n", text);
	fflush(log_file);
}

static void read_plan(void)
{
	static const char *const words[] = {"trace", "fail", "kill", "kill-after", "watch"};
	char word[32] = "";
	FILE *file = fopen(plan_path, "re");

	if (!file)
		die(plan_path);
	plan = (struct plan){0};
	if (fscanf(file, "%31s", word) != 1)
		die("no plan");
	while (strcmp(words[plan.act], word))
		if (plan.act++ == ACT_WATCH)
			die("no such plan");
	if (plan.act == ACT_WATCH && fscanf(file, "%u %u", &plan.watch.value_bytes, &plan.watch.offset) != 2)
		die("watch what?");
	if (plan.act != ACT_TRACE && fscanf(file, "%lu", &plan.at) != 1)
		die("at which?");
	if (plan.act == ACT_FAIL && fscanf(file, "%d", &plan.error) != 1)
		die("fail how?");
	fclose(file);
	count = hits = 0;
	say("planned");
}

static void on_signal(int number)
{
	if (number == SIGUSR1)
		is_plan_new = 1;
	else if (number != SIGALRM)
		signal_due = number;
}

/* The alarm wakes a wait that began just after a signal came. */
static void listen_to_signals(void)
{
	struct sigaction action = {.sa_handler = on_signal};
	struct itimerval often = {.it_interval.tv_usec = 20000, .it_value.tv_usec = 20000};

	sigaction(SIGUSR1, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
}

static void kill_program(void)
{
	if (is_killed)
		return;
	is_killed = true;
	say("done");
	kill(program, SIGKILL);
}

/* The call is skipped and its caller told this result. */
static void refuse(pid_t tid, struct user_regs_struct *regs)
{
	regs->orig_rax = (unsigned long long)-1;
	regs->rax = (unsigned long long)-plan.error;
	if (ptrace(PTRACE_SETREGS, tid, NULL, regs))
		return;
	say("done");
}

/* Returns how the thread goes on. */
static enum __ptrace_request on_call(pid_t tid)
{
	struct user_regs_struct regs;
	char name[NAME_MAX_BYTES];

	if (ptrace(PTRACE_GETREGS, tid, NULL, &regs))
		return PTRACE_CONT;
	if (calls_name(tid, &regs, folder, name)) {
		fprintf(log_file, "%lu %s\n", ++count, name);
		fflush(log_file);
		if (count == plan.at && plan.act == ACT_FAIL)
			refuse(tid, &regs);
		else if (count == plan.at && plan.act == ACT_KILL)
			kill_program();
		else if (count == plan.at && plan.act == ACT_KILL_AFTER) {
			kill_behind = tid;
			return PTRACE_SYSCALL;
		}
	}
	return plan.watch.value_bytes && calls_is_map_mmap(&regs) ? PTRACE_SYSCALL : PTRACE_CONT;
}

static void on_return(pid_t tid)
{
	struct user_regs_struct regs;

	if (tid == kill_behind)
		kill_program();
	else if (ptrace(PTRACE_GETREGS, tid, NULL, &regs) == 0 && calls_is_map_mmap(&regs))
		watch_mapped(&plan.watch, tid, (int)regs.r8, regs.rax);
}

static void on_stop(pid_t tid, int status)
{
	int number = WSTOPSIG(status), deliver = 0;
	enum __ptrace_request how = PTRACE_CONT;

	if (status >> 8 == (SIGTRAP | PTRACE_EVENT_SECCOMP << 8))
		how = on_call(tid);
	else if (number == (SIGTRAP | 0x80))
		on_return(tid);
	else if (number == SIGTRAP && status >> 16 == 0 && watch_has_hit(tid)) {
		if (++hits == plan.at)
			kill_program();
	} else if (number != SIGTRAP && !(number == SIGSTOP && tid != program))
		deliver = number;
	ptrace(how, tid, NULL, deliver);
}

static void begin(char **argv)
{
	const long options = PTRACE_O_TRACESECCOMP | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
			     PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL | PTRACE_O_TRACEEXEC;
	int status;

	program = fork();
	if (program == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) || raise(SIGSTOP) || calls_trap())
			_exit(126);
		execvp(argv[0], argv);
		_exit(127);
	}
	if (program < 0 || waitpid(program, &status, 0) != program || !WIFSTOPPED(status) ||
	    ptrace(PTRACE_SETOPTIONS, program, NULL, options) || ptrace(PTRACE_CONT, program, NULL, 0))
		die("start");
}

int main(int words, char **argv)
{
	int status;

	if (words < 5) {
		fputs("usage: faults <plan file> <log file> <folder> <program> <argument>...\n", stderr);
		return 2;
	}
	plan_path = argv[1];
	folder = argv[3];
	log_file = fopen(argv[2], "we");
	if (!log_file)
		die(argv[2]);
	read_plan();
	begin(argv + 4);
	listen_to_signals();
	for (;;) {
		pid_t tid = waitpid(-1, &status, __WALL);

		if (is_plan_new) {
			is_plan_new = 0;
			read_plan();
		}
		if (signal_due) {
			kill(program, signal_due);
			signal_due = 0;
		}
		if (tid < 0 && errno == EINTR)
			continue;
		if (tid < 0)
			die("wait");
		if (WIFSTOPPED(status))
			on_stop(tid, status);
		else if (tid == program)
			return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	}
}
