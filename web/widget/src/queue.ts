// For pages whose policy allows no inline script: takes calls until the widget is there.
type Call = [string, unknown[], (value: unknown) => void, (why: unknown) => void];
const page = window as unknown as { $deskbridge?: unknown };
page.$deskbridge ||= new Proxy(
  { q: [] as Call[] },
  {
    get: (target, name) =>
      name === "then"
        ? undefined
        : name in target
          ? target[name as "q"]
          : (...args: unknown[]) =>
              new Promise((resolve, reject) => target.q.push([String(name), args, resolve, reject])),
  },
);
