// Gives every command of an agent the variables of its call, which director notes beside the
// worktree before the call begins: they tell whose process it is. The server's password is not
// handed on.
import { existsSync, readFileSync } from "node:fs"

const noted = (file) => {
  try {
    return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {}
  } catch {
    return {}
  }
}

export const ToolEnv = async ({ directory }) => {
  const variables = noted(`${directory}.env.json`)
  return {
    "shell.env": async (_, output) => {
      Object.assign(output.env, variables, { OPENCODE_SERVER_PASSWORD: "" })
    },
  }
}
